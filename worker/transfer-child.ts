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

const controller = new AbortController();
let over = false;

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

async function work(spec: TransferSpec): Promise<unknown> {
  const io: TransferIo = {
    signal: controller.signal,
    log: (line, level = "info") => void send({ type: "log", line, level }),
    progress: throttled(),
    step: (name, detail = null) => void send({ type: "step", name, detail }),
  };
  if (spec.task === "dump") return await (await import("../lib/transfer/dump.ts")).runDump(spec, io);
  if (spec.task === "verify") return await (await import("../lib/transfer/verify.ts")).runVerify(spec, io);
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

process.on("message", (raw) => {
  const message = parentMessage.parse(raw);
  if (message.type === "abort") abort(message.reason);
  else void run(message.spec);
});
process.on("disconnect", () => {
  if (over) return;
  abort("The worker that this transfer belongs to is gone.");
  setTimeout(() => void leave(1), ORPHAN_MS);
});
process.on("SIGTERM", () => abort("The transfer was told to stop."));
process.on("uncaughtException", (error) => {
  void send({ type: "error", error: toErrorMessage(error) }).then(() => leave(1));
});
void send({ type: "ready" });
