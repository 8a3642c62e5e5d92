import { readFile, readlink } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { runCommand } from "../process/run-command.ts";

/** A process that can be told from a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** The kernel's start time of it, as text. */
  startTime: string;
}

/** Start time of a running process, or null when there is none (or only its zombie). */
export async function startTimeOf(pid: number): Promise<string | null> {
  if (process.platform === "linux") {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
    if (stat === null) return null;
    // proc(5): the name in parentheses may hold anything; state is field 3, start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  }
  const args = ["-o", "lstart=", "-p", String(pid)];
  const { stdout } = await runCommand({ program: "ps", args, tempDir: tmpdir(), okCodes: [0, 1] });
  return stdout.trim() || null;
}

export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const startTime = await startTimeOf(pid);
  return startTime === null ? null : { pid, startTime };
}

export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await startTimeOf(identity.pid)) === identity.startTime;
}

/**
 * Where process numbers mean something: host, boot and process namespace. Two containers that share a
 * folder see different processes under the same numbers.
 */
export async function processSpace(): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return [hostname(), boot.trim(), namespace].join(" ");
}

/** Ends that very process: SIGQUIT first (a database server then ends its children), SIGKILL after 5 s. */
export async function endProcess(identity: ProcessIdentity): Promise<boolean> {
  if (!(await isRunning(identity))) return false;
  send(identity.pid, "SIGQUIT");
  const force = Date.now() + 5_000;
  while (await isRunning(identity)) {
    if (Date.now() > force) send(identity.pid, "SIGKILL");
    await delay(20);
  }
  return true;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
