/** A program that ended badly: by exit code or by signal. `stderrTail` holds no secrets. */
export class CommandError extends Error {
  readonly program: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderrTail: string;

  constructor(program: string, code: number | null, signal: NodeJS.Signals | null, stderrTail: string) {
    const how = signal === null ? `ended with exit code ${code}` : `was ended by signal ${signal}`;
    const last = stderrTail.trim().split("\n").slice(-5).join("\n").slice(-2000);
    super(last === "" ? `${program} ${how}.` : `${program} ${how}: ${last}`);
    this.name = "CommandError";
    this.program = program;
    this.code = code;
    this.signal = signal;
    this.stderrTail = stderrTail;
  }
}
