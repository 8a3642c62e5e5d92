import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { abortReason } from "../abort.ts";
import { HoldfastError, messageOf } from "../errors.ts";
import { killGroup, trackGroup } from "../process/process-group.ts";
import type { ProcessIdentity } from "../sandbox/process-identity.ts";
import type { ChildMessage, ParentMessage } from "./messages.ts";
import { childMessage, fromErrorMessage } from "./messages.ts";
import { descendantsOf, killAll } from "./process-tree.ts";
import type { TransferSpec } from "./schema.ts";

const CHILD = fileURLToPath(new URL("../../worker/transfer-child.ts", import.meta.url));

/**
 * Heap only: streamed bytes live outside of it. A small young generation, collected by hand (zstd-stage.ts) and on
 * one thread, keeps the resident size flat and takes a sixth less processor time than the collector's own ways.
 */
const NODE_FLAGS = [
  "--expose-gc",
  "--single-threaded-gc",
  "--max-semi-space-size=4",
  "--max-old-space-size=256",
];

/** Of our own environment; the transfer's secrets come over the channel. */
const INHERITED = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "TZ",
  "NODE_EXTRA_CA_CERTS",
  "NODE_COMPILE_CACHE",
  "SSL_CERT_FILE",
  "HOLDFAST_DATA",
  "HOLDFAST_TEMP",
  "HOLDFAST_LOG_LEVEL",
];

export interface TransferEvents {
  onLog(line: string, level: "info" | "warn" | "error"): void;
  onProgress(progress: Extract<ChildMessage, { type: "progress" }>["progress"]): void;
  onSign(sign: Extract<ChildMessage, { type: "sign" }>["sign"]): void;
  onStep(name: string, detail: string | null): void;
  /** Resolves when it is written down; the child waits for that, and begins nothing where nobody does it. */
  onUnsettled?(what: Record<string, unknown>): Promise<void>;
}

export interface TransferOptions extends TransferEvents {
  signal: AbortSignal;
  /** Between being asked to stop and SIGTERM, and again until SIGKILL. 5 s by default. */
  graceMs?: number;
  /** The child gives up when it does not hear of this process for so long. 20 s by default, less than a lease. */
  silenceMs?: number;
  /** Another program to run, for tests of this file. */
  program?: string;
}

/** How often it is noted what runs below the child, for the case that it dies without ending it. */
const WATCH_MS = 2_000;
/** A child that has given its result but does not end. */
const LEAVE_MS = 10_000;
const SILENCE_MS = 20_000;
/** For whom not even SIGKILL is enough: a call to a disk that does not answer holds it, and nothing can be done. */
const HELD_MS = 3_000;

/**
 * Runs one transfer in a child process of its own group and returns its raw result. Nothing of it is left when
 * this settles: not the child, nor what it started; but for a child that a disk holds, which is killed and does
 * nothing more once that disk lets go. Throws the child's error, the signal's reason, or `unavailable` that says
 * how the child died.
 */
export async function runTransferProcess(spec: TransferSpec, options: TransferOptions): Promise<unknown> {
  options.signal.throwIfAborted();
  const child = fork(options.program ?? CHILD, [], {
    execArgv: NODE_FLAGS,
    env: childEnvironment(spec.tempDir),
    detached: true,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
  const { pid } = child;
  if (pid === undefined) throw new HoldfastError("unavailable", "The transfer process could not be started.");
  const untrack = trackGroup(pid);
  const below = watchBelow(pid);
  const held = Promise.withResolvers<void>();
  const giveUp = () => void setTimeout(() => held.resolve(), HELD_MS).unref();
  const callOff = followSignal(child, pid, below, options, giveUp);
  try {
    const said = await converse(child, spec, options, { gone: held.promise, giveUp });
    if (options.signal.aborted && !said.result) throw abortReason(options.signal);
    if (said.error) throw said.error;
    if (said.result) return said.result.value;
    throw diedError(said);
  } finally {
    callOff();
    untrack();
    killGroup(pid, "SIGKILL");
    await killAll(await below.stop());
  }
}

function childEnvironment(tempDir: string): NodeJS.ProcessEnv {
  // Threads for calls to disks: one that holds its calls must not take those that the others need.
  const env: Record<string, string> = { TMPDIR: tempDir, UV_THREADPOOL_SIZE: "16" };
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  // Stripping types loads a compiler of some 20 MB; what it made is kept in the private data folder.
  const data = process.env.HOLDFAST_DATA;
  if (data) env.NODE_COMPILE_CACHE = path.resolve(data, "cache", "compiled");
  // Next types NODE_ENV as always present; the child does not need it.
  return env as NodeJS.ProcessEnv;
}

interface Said {
  result: { value: unknown } | null;
  error: Error | null;
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** Hands over the spec and listens until the child has ended, or was killed and is held. */
async function converse(
  child: ChildProcess,
  spec: TransferSpec,
  { silenceMs = SILENCE_MS, ...events }: TransferOptions,
  held: { gone: Promise<void>; giveUp(): void },
): Promise<Said> {
  const said: Said = { result: null, error: null, code: null, signal: null, stderr: "" };
  const send = (message: ParentMessage) => {
    // A child that is gone shows at its end.
    if (child.connected) child.send(message, () => undefined);
  };
  const alive = setInterval(() => send({ type: "alive" }), silenceMs / 4);
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said.stderr = (said.stderr + text).slice(-8_192);
  });
  child.on("message", (raw) => {
    const parsed = childMessage.safeParse(raw);
    if (!parsed.success) {
      said.error ??= new Error("the transfer process sent what is not a message of ours");
      return;
    }
    const message = parsed.data;
    if (message.type === "ready") send({ type: "start", spec, silenceMs });
    if (message.type === "log") events.onLog(message.line, message.level);
    if (message.type === "progress") events.onProgress(message.progress);
    if (message.type === "sign") events.onSign(message.sign);
    if (message.type === "unsettled") {
      const noted = (error: string | null) => send({ type: "noted", id: message.id, error });
      const writing =
        events.onUnsettled?.(message.what) ?? Promise.reject(new Error("nobody writes it down"));
      writing.then(
        () => noted(null),
        (error: unknown) => noted(messageOf(error)),
      );
    }
    if (message.type === "step") events.onStep(message.name, message.detail);
    if (message.type === "result") said.result = { value: message.result };
    if (message.type === "error") said.error ??= fromErrorMessage(message.error);
    if (message.type === "result" || message.type === "error") {
      // It has nothing more to say, and ends by itself.
      if (child.connected) child.disconnect();
      setTimeout(() => {
        child.kill("SIGKILL");
        held.giveUp();
      }, LEAVE_MS).unref();
    }
  });
  child.on("error", () => undefined);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", (code, signal) => {
      said.code = code;
      said.signal = signal;
      resolve();
    });
  });
  // Its last messages may arrive after its end; they are all there when the channel is closed.
  const drained = new Promise<void>((resolve) => {
    child.once("disconnect", () => resolve());
  });
  await Promise.race([Promise.all([exited, drained]), held.gone]);
  clearInterval(alive);
  child.unref();
  return said;
}

/** Abort: ask, then SIGTERM, then SIGKILL to the group and to whatever runs below it. */
function followSignal(
  child: ChildProcess,
  pid: number,
  below: { now(): Promise<ProcessIdentity[]> },
  { signal, graceMs = 5_000 }: TransferOptions,
  giveUp: () => void,
): () => void {
  const timers: NodeJS.Timeout[] = [];
  const kill = async () => {
    // Looked at before the child dies: afterwards nothing tells whose they were.
    const running = await below.now();
    killGroup(pid, "SIGKILL");
    await killAll(running);
    giveUp();
  };
  const onAbort = () => {
    if (child.connected) {
      const reason = abortReason(signal).message;
      child.send({ type: "abort", reason } satisfies ParentMessage, () => undefined);
    }
    timers.push(
      setTimeout(() => killGroup(pid, "SIGTERM"), graceMs),
      setTimeout(() => void kill(), 2 * graceMs),
    );
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    for (const timer of timers) clearTimeout(timer);
  };
}

/** Remembers what was last seen running below the child; a dead child has no children to ask for. */
function watchBelow(pid: number) {
  let seen: ProcessIdentity[] = [];
  const now = async () => {
    const found = await descendantsOf(pid);
    if (found.length > 0) seen = found;
    return seen;
  };
  const timer = setInterval(() => void now(), WATCH_MS);
  return {
    now,
    async stop() {
      clearInterval(timer);
      return seen;
    },
  };
}

function diedError({ code, signal, stderr }: Said): Error {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const guess = signal === "SIGKILL" ? " Somebody ended it, or the system did because memory ran out." : "";
  return new HoldfastError(
    "unavailable",
    `The transfer process was ended ${how} before it was done.${guess}`,
    {
      remedy: "Try again; if it happens again, give the worker more memory or look into the system's log.",
      cause: new Error(stderr.trim() || "it said nothing"),
    },
  );
}
