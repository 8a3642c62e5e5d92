import { readdirSync, readFileSync } from "node:fs";

interface Process {
  pid: number;
  parent: number;
  command: string;
}

function read(pid: string): Process | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
    const zombie = /^State:\s+Z/m.test(status);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return zombie ? null : { pid: Number(pid), parent, command };
  } catch {
    return null;
  }
}

/** Every process below this one, at any depth. */
export function descendants(pid: number): Process[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(name) ?? []);
  const below = (parent: number): Process[] =>
    all.filter((process) => process.parent === parent).flatMap((process) => [process, ...below(process.pid)]);
  return below(pid);
}

/** The process below `pid` whose command line contains `text`. Throws when there is none. */
export function findBelow(pid: number, text: string): Process {
  const found = descendants(pid).find(({ command }) => command.includes(text));
  if (!found) throw new Error(`no ${text} below ${pid}`);
  return found;
}

export function isAlive(pid: number): boolean {
  return read(String(pid)) !== null;
}
