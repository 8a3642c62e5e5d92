import { readdir, readFile } from "node:fs/promises";
import type { ProcessIdentity } from "../sandbox/process-identity.ts";
import { identify, isRunning } from "../sandbox/process-identity.ts";

/**
 * All processes below this one, whatever their groups and sessions are (proc(5), task/<tid>/children). Empty on
 * systems without /proc.
 */
export async function descendantsOf(pid: number): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of await childrenOf(next)) {
      const identity = await identify(child);
      if (identity) found.push(identity);
      waiting.push(child);
    }
  }
  return found;
}

async function childrenOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, "utf8").catch(() => ""));
  return (await Promise.all(lists))
    .join(" ")
    .split(" ")
    .map(Number)
    .filter((child) => child > 0);
}

/** Ends these processes at once, those that are still the same; returns how many there were. */
export async function killAll(processes: readonly ProcessIdentity[]): Promise<number> {
  let killed = 0;
  for (const one of processes) {
    if (!(await isRunning(one))) continue;
    try {
      process.kill(one.pid, "SIGKILL");
      killed += 1;
    } catch {
      // It ended in the meantime.
    }
  }
  return killed;
}
