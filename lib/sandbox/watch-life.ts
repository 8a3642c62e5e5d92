import { constants } from "node:os";
import { HoldfastError } from "../errors.ts";
import { watchDisk } from "./disk-budget.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import type { SandboxFolder } from "./sandbox-folder.ts";

/** Longest life of a sandbox: nothing stays for ever, whatever its owner does. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

export interface SandboxLife {
  /** Aborted with an `unavailable` error that says why, when it ended without being stopped. */
  ended: AbortSignal;
  /** Ends all of it and removes its folder; safe to call twice. */
  stop: () => Promise<void>;
}

/** Ends the sandbox when it takes too much disk or time, and says why it ended if nobody stopped it. */
export function watchLife(
  run: IsolatedRun,
  folder: SandboxFolder,
  diskBytes: number,
  longestMs = LONGEST_MS,
): SandboxLife {
  const ended = new AbortController();
  let stopping: Promise<void> | undefined;
  const giveUp = (message: string, remedy?: string) => {
    if (stopping || ended.signal.aborted) return;
    ended.abort(new HoldfastError("unavailable", message, remedy ? { remedy } : {}));
    void run.end();
  };
  const unwatch = watchDisk([folder.box, folder.socketDir], diskBytes, (reason) =>
    giveUp(`The sandbox was ended: ${reason}.`, "Make room on the disk of HOLDFAST_TEMP and verify again."),
  );
  const timer = setTimeout(
    () =>
      giveUp(`The sandbox was ended: it ran for ${inWords(longestMs)}.`, "Look at the log and verify again."),
    longestMs,
  );
  timer.unref();
  void run.exited.then((exit) =>
    giveUp(`The sandbox ended by itself (${howItEnded(exit)}): ${lastLines(run)}`, afterSignal(exit)),
  );
  const stop = async () => {
    unwatch();
    clearTimeout(timer);
    await run.end();
    await folder.remove();
  };
  return {
    ended: ended.signal,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** The end of what the program said, or its error without the stack, for a reason that fits one sentence. */
export function lastLines(run: IsolatedRun): string {
  const lines = run.tail().split("\n");
  const error = lines.findLast((line) => /^\w*Error: /.test(line));
  return (error ?? lines.slice(-4).join("; ")).slice(-600) || "it said nothing";
}

interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** "exit code 1", "SIGSEGV". */
function howItEnded(exit: Exit): string {
  return signalOf(exit) ?? `exit code ${exit.code}`;
}

/** bwrap passes on the end of its program by a signal as 128 and the signal's number. */
function signalOf({ code, signal }: Exit): string | null {
  if (signal !== null) return signal;
  const number = (code ?? 0) - 128;
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}

function afterSignal(exit: Exit): string | undefined {
  return signalOf(exit) === "SIGKILL"
    ? "Somebody ended it, or the system did because memory ran out; give the worker more memory if it happens again."
    : undefined;
}

function inWords(ms: number): string {
  const hours = ms / 3_600_000;
  return hours >= 1 ? `${Math.round(hours)} hours` : `${Math.ceil(ms / 1000)} seconds`;
}
