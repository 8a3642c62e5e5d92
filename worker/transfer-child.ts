// One transfer in a process of its own; lib/transfer/transfer-process.ts starts it. Imports stay few: this
// process holds the bytes of a database in flight and should hold little else.
import type { TransferIo } from "../lib/transfer/io.ts";
import type { ChildMessage } from "../lib/transfer/messages.ts";
import { parentMessage, toErrorMessage } from "../lib/transfer/messages.ts";
import { descendantsOf, killAll } from "../lib/transfer/process-tree.ts";
import type { TransferSpec } from "../lib/transfer/schema.ts";

/** Without its worker a transfer gets this long to end what it has started. */
const ORPHAN_MS = 8_000;
const PROGRESS_MS = 200;
const WATCH_MS = 1_000;

const controller = new AbortController();
let over = false;
let orphan = false;
/** performance.now() of the worker's last message. */
let heardAt = performance.now();

function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send) process.send(message, undefined, {}, () => resolve());
    else resolve();
  });
}

function abort(reason: string): void {
  if (!controller.signal.aborted) controller.abort(new Error(reason));
}

async function leave(code: number): Promise<void> {
  await killAll(await descendantsOf(process.pid));
  process.exit(code);
}

/** Rates and totals change with every chunk; the reader needs a few a second. */
function throttled(): TransferIo["progress"] {
  let latest: Parameters<TransferIo["progress"]>[0] | null = null;
  const tell = () => {
    if (latest && !over) void send({ type: "progress", progress: latest });
    latest = null;
  };
  return (progress) => {
    if (latest === null) setTimeout(tell, PROGRESS_MS);
    latest = progress;
  };
}

/** What the worker was asked to write down, and has not answered yet. */
const unsettled = new Map<number, (error: string | null) => void>();
let asked = 0;

async function writeDown(what: Record<string, unknown>): Promise<void> {
  asked += 1;
  const id = asked;
  const answer = new Promise<string | null>((resolve) => unsettled.set(id, resolve));
  if (process.connected && !orphan) await send({ type: "unsettled", id, what });
  else forget();
  const error = await answer;
  if (error !== null) throw new Error(`what is to be done could not be written down: ${error}`);
}

function forget(): void {
  for (const answer of unsettled.values()) answer("the worker is gone");
}

async function work(spec: TransferSpec): Promise<unknown> {
  const io: TransferIo = {
    signal: controller.signal,
    log: (line, level = "info") => void send({ type: "log", line, level }),
    progress: throttled(),
    unsettled: writeDown,
    sign: (sign) => void send({ type: "sign", sign }),
    step: (name, detail = null) => void send({ type: "step", name, detail }),
  };
  if (spec.task === "dump") return await (await import("../lib/transfer/dump.ts")).runDump(spec, io);
  if (spec.task === "verify") return await (await import("../lib/transfer/verify.ts")).runVerify(spec, io);
  if (spec.task === "copy") return await (await import("../lib/transfer/copy.ts")).runCopy(spec, io);
  if (spec.task === "remove") return await (await import("../lib/transfer/remove.ts")).runRemove(spec);
  return await (await import("../lib/transfer/restore.ts")).runRestore(spec, io);
}

async function run(spec: TransferSpec): Promise<void> {
  try {
    const result = await work(spec);
    over = true;
    await send({ type: "result", result });
    await leave(0);
  } catch (error) {
    over = true;
    await send({ type: "error", error: toErrorMessage(error) });
    await leave(1);
  }
}

/** A worker that is frozen has lost its claim before it knows: nobody may go on with its work, then. */
function watchParent(silenceMs: number): void {
  let doubted = false;
  setInterval(() => {
    const silent = performance.now() - heardAt > silenceMs;
    // After a pause of our own, what the worker has said meanwhile is heard only now.
    if (silent && doubted) orphaned("The worker that this transfer belongs to does not answer.");
    doubted = silent;
  }, WATCH_MS).unref();
}

function orphaned(reason: string): void {
  if (over || orphan) return;
  orphan = true;
  abort(reason);
  forget();
  setTimeout(() => void leave(1), ORPHAN_MS);
}

process.on("message", (raw) => {
  heardAt = performance.now();
  const message = parentMessage.parse(raw);
  if (message.type === "abort") abort(message.reason);
  else if (message.type === "noted") unsettled.get(message.id)?.(message.error);
  if (message.type !== "start") return;
  watchParent(message.silenceMs);
  void run(message.spec);
});
process.on("disconnect", () => orphaned("The worker that this transfer belongs to is gone."));
process.on("SIGTERM", () => abort("The transfer was told to stop."));
process.on("uncaughtException", (error) => {
  void send({ type: "error", error: toErrorMessage(error) }).then(() => leave(1));
});
void send({ type: "ready" });
