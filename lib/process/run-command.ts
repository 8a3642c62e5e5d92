import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { abortReason } from "../abort.ts";
import { HoldfastError, messageOf } from "../errors.ts";
import { CommandError } from "./command-error.ts";
import { endGroup, killGroup, trackGroup } from "./process-group.ts";
import { StderrTail } from "./stderr-tail.ts";

export interface CommandOptions {
  /** Absolute path, or a name that is looked up in PATH. */
  program: string;
  /** Handed over as they are; no shell sees them. Never a secret. */
  args: readonly string[];
  /** Program and arguments that replace themselves with this one (stdbuf, nice): errors still name this one. */
  launcher?: readonly string[];
  /** Private folder: HOME and working folder of the program. */
  tempDir: string;
  /** All that the program gets beside PATH, HOME, LANG and LC_ALL. The only way for a secret. */
  env?: Record<string, string>;
  /** Texts that are removed from whatever the program says. */
  secrets?: readonly string[];
  signal?: AbortSignal | undefined;
  /** Fed to the program. Read to its end if the program succeeds, destroyed otherwise. */
  stdin?: Readable;
  uid?: number;
  gid?: number;
  /** Working folder, if not `tempDir`. */
  cwd?: string;
  /** Wall time in milliseconds after which the program is ended; none by default. */
  timeoutMs?: number;
  /** Milliseconds between SIGTERM and SIGKILL. */
  graceMs?: number;
  /** Exit codes that count as success. */
  okCodes?: readonly number[];
  /** Shown where the program is missing: "apt-get install age". */
  install?: string;
  /** Every line of stderr, without secrets. */
  onStderrLine?: (line: string) => void;
}

export interface CommandResult {
  code: number;
  /** Last 64 KiB of stderr, without secrets. */
  stderr: string;
}

/** A program whose output is read as it comes. */
export interface CommandStream {
  /**
   * Ends only after the program has ended well; fails with the same error as `done` otherwise, so that
   * whoever writes it down never completes a truncated output. Destroying it ends the program's group.
   */
  stdout: Readable;
  done: Promise<CommandResult>;
  pid: number;
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

const DEFAULT_GRACE_MS = 5000;

/** The whole environment of a program: nothing else is inherited. */
function environment(options: CommandOptions): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    HOME: options.tempDir,
    ...options.env,
  };
}

function start(options: CommandOptions): Child {
  const { stdin, uid, gid } = options;
  const shared = {
    cwd: options.cwd ?? options.tempDir,
    // Next types NODE_ENV as always present; here it is left out on purpose.
    env: environment(options) as NodeJS.ProcessEnv,
    // Own group, so that whatever the program starts ends with it.
    detached: true,
    shell: false,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
  const [file = options.program, ...args] = [...(options.launcher ?? []), options.program, ...options.args];
  try {
    return stdin
      ? spawn(file, args, { ...shared, stdio: ["pipe", "pipe", "pipe"] })
      : spawn(file, args, { ...shared, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw startError(options, error);
  }
}

function startError(options: CommandOptions, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const cwd = options.cwd ?? options.tempDir;
  if (code === "ENOENT" && existsSync(cwd)) {
    return new HoldfastError("unavailable", `The program ${options.program} is not installed here.`, {
      remedy: `Install it${options.install ? `: ${options.install}` : " and try again."}`,
      cause: error,
    });
  }
  return new HoldfastError(
    "unavailable",
    `The program ${options.program} could not be started in ${cwd}: ${messageOf(error)}`,
    { cause: error },
  );
}

/** Feeds stdin. Resolves at the end of the source; a program that stops reading is no error here. */
async function feed(source: Readable, sink: Writable): Promise<void> {
  sink.on("error", () => source.unpipe(sink));
  source.pipe(sink);
  await finished(source, { writable: false });
}

/** Starts the program and judges its end; rejects with CommandError, HoldfastError or the abort reason. */
function supervise(
  options: CommandOptions,
  child: Child,
): { done: Promise<CommandResult>; stop: (why: Error) => void } {
  const tail = new StderrTail(options.secrets ?? [], options.onStderrLine);
  tail.follow(child.stderr);
  const { pid } = child;
  const untrack = pid === undefined ? () => undefined : trackGroup(pid);
  let over = false;
  let stopped: Error | null = null;
  let callOffKill = (): void => undefined;
  const stop = (why: Error): void => {
    if (over || stopped || pid === undefined) return;
    stopped = why;
    // A source that never ends would be waited for.
    options.stdin?.destroy(why);
    callOffKill = endGroup(pid, options.graceMs ?? DEFAULT_GRACE_MS);
    // A reader that stopped reading would keep it open for ever.
    child.stdout.destroy();
  };
  const onAbort = (): void => {
    if (options.signal) stop(abortReason(options.signal));
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          const seconds = Math.round((options.timeoutMs ?? 0) / 1000);
          stop(new HoldfastError("timeout", `${options.program} did not finish within ${seconds} s.`));
        }, options.timeoutMs);
  const fed = options.stdin && child.stdin ? feed(options.stdin, child.stdin) : Promise.resolve();
  fed.catch((error: unknown) => stop(error instanceof Error ? error : new Error(String(error))));

  const closed = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", (error) => {
      if (child.pid === undefined) reject(startError(options, error));
    });
    // What the program left behind would keep its output open.
    child.once("exit", () => pid !== undefined && killGroup(pid, "SIGKILL"));
    child.once("close", (code, signal) => resolve({ code, signal }));
  });

  const judge = async (): Promise<CommandResult> => {
    try {
      const { code, signal } = await closed;
      if (stopped) throw stopped;
      if (code === null || !(options.okCodes ?? [0]).includes(code)) {
        throw new CommandError(options.program, code, signal, tail.text());
      }
      if (options.stdin) {
        // Before the pipe sees its sink close, which would pause the source after we let it flow.
        if (child.stdin) options.stdin.unpipe(child.stdin);
        options.stdin.resume();
        await fed;
      }
      return { code, stderr: tail.text() };
    } catch (error) {
      options.stdin?.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      over = true;
      callOffKill();
      untrack();
      options.signal?.removeEventListener("abort", onAbort);
    }
  };
  const done = judge();
  done.catch(() => undefined);
  return { done, stop };
}

/** Starts a program and hands out its output as it comes. See CommandStream for how it fails. */
export function streamCommand(options: CommandOptions): CommandStream {
  options.signal?.throwIfAborted();
  const child = start(options);
  const { done, stop } = supervise(options, child);
  const stdout = new Transform({
    transform: (chunk, _encoding, callback) => callback(null, chunk),
    flush: (callback) => {
      done.then(() => callback(), callback);
    },
  });
  child.stdout.once("error", (error) => stop(error));
  child.stdout.pipe(stdout);
  stdout.once("close", () => {
    stop(new Error(`The output of ${options.program} was closed by its reader.`));
  });
  done.catch((error: unknown) => stdout.destroy(error instanceof Error ? error : new Error(String(error))));
  return { stdout, done, pid: child.pid ?? -1 };
}

/**
 * Runs a program to its end and returns its output as text. Throws CommandError when it fails, `unavailable`
 * when it is missing, `timeout`, the abort reason, or `refused` when it prints more than `maxStdoutBytes`.
 */
export async function runCommand(
  options: CommandOptions & { maxStdoutBytes?: number },
): Promise<CommandResult & { stdout: string }> {
  options.signal?.throwIfAborted();
  const limit = options.maxStdoutBytes ?? 1024 * 1024;
  const child = start(options);
  const { done, stop } = supervise(options, child);
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= limit) chunks.push(chunk);
    else stop(new HoldfastError("refused", `${options.program} printed more than ${limit} bytes.`));
  });
  const result = await done;
  return { ...result, stdout: Buffer.concat(chunks).toString("utf8") };
}
