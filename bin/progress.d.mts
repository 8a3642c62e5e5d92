export function say(line: string): void;
export function complain(line: string): void;
export function step<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
