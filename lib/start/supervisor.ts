import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { consoleLine } from "./console-line.ts";
import type { LogFile } from "./log-file.ts";

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;
/** A child that ran this long had started well; the next crash begins at the shortest delay again. */
const STEADY_MS = 60_000;

export interface ChildSpec {
  name: string;
  args: string[];
  env: Record<string, string>;
  /** Time between the polite and the forced end. */
  graceMs: number;
  log: LogFile;
}

export interface SupervisedChild {
  readonly name: string;
  readonly logFile: string;
  /** Process id of the running one. */
  readonly pid: number | undefined;
  /** Crashes one after the other without a steady run between them. */
  readonly crashes: number;
  /** Ends it and does not start it again: SIGTERM, after the grace time (or at once) SIGKILL to its group. */
  stop(force?: boolean): Promise<void>;
}

/** Delay before the n-th start in a row (n from 1), in ms: 1 s doubled up to 30 s. */
export function backOff(crashes: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (crashes - 1), LONGEST_DELAY_MS);
}

/**
 * Runs a Node program of ours and starts it again, with growing delays, whenever it ends by itself. Its stdin is
 * a pipe that closes with this process; its output goes to the log file, warnings to `say` as well.
 */
export function supervise(spec: ChildSpec, say: (line: string) => void): SupervisedChild {
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let restart: NodeJS.Timeout | undefined;
  let stopping = false;
  let crashes = 0;

  const start = () => {
    const startedAt = Date.now();
    const running = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...spec.args], {
      env: { ...process.env, ...spec.env, HOLDFAST_SUPERVISED: "1" },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    child = running;
    running.stdin.on("error", () => undefined);
    for (const stream of ["stdout", "stderr"] as const) {
      createInterface({ input: running[stream] }).on("line", (line) => {
        spec.log.write(`${line}\n`);
        const shown = consoleLine(spec.name, line, stream);
        if (shown !== null) say(shown);
      });
    }
    ended = new Promise((resolve) => {
      let settled = false;
      const finish = (how: string) => {
        if (settled) return;
        settled = true;
        signalGroup(running.pid, "SIGKILL");
        resolve();
        if (!stopping) startAgain(how, Date.now() - startedAt);
      };
      running.once("error", (error) => finish(error.message));
      running.once("exit", (code, signal) => finish(signal ? `by ${signal}` : `with code ${code}`));
    });
  };

  const startAgain = (how: string, ranMs: number) => {
    crashes = ranMs > STEADY_MS ? 1 : crashes + 1;
    const wait = backOff(crashes);
    const what = `${spec.name} ended ${how}; starting it again in ${wait / 1000} s`;
    spec.log.write(`${new Date().toISOString()} ${what}\n`);
    say(`${what} (log: ${spec.log.path})`);
    restart = setTimeout(start, wait);
  };

  start();
  return {
    name: spec.name,
    logFile: spec.log.path,
    get pid() {
      return child?.pid;
    },
    get crashes() {
      return crashes;
    },
    async stop(force = false) {
      stopping = true;
      clearTimeout(restart);
      if (force) signalGroup(child?.pid, "SIGKILL");
      else child?.kill("SIGTERM");
      const limit = setTimeout(() => signalGroup(child?.pid, "SIGKILL"), spec.graceMs);
      await ended;
      clearTimeout(limit);
    },
  };
}

/** Signals what is left of a child's process group; none is left is fine. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nothing is left of it.
  }
}
