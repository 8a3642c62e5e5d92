// The program in a sandbox of a SQLite file: the only one that opens what a dump holds. It sees this folder and
// lib/errors.ts, and of packages nothing: see sandbox-program.ts.
import { Socket } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { isHoldfastError, messageOf } from "../../errors.ts";
import type { Access, EngineProgress, WorkContext } from "../engine.ts";
import { fingerprintFile } from "./fingerprint.ts";
import { checkRestoredSqlite } from "./integrity.ts";
import { SQLITE_VERSION } from "./open.ts";
import { restoreSqlite } from "./restore.ts";
import type { SandboxAnswer, SandboxRequestMessage } from "./sandbox-messages.ts";

/** BODY_FD of lib/sandbox/bubblewrap.ts. */
const BODY_FD = 5;
const PROGRESS_MS = 200;
/** As much of a message as the other side takes. */
const MESSAGE = 9_000;

const file = path.join(process.cwd(), "database.sqlite");
const target: Access = { connection: { file } };

function say(answer: SandboxAnswer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

let told = { label: "", at: 0 };
const progress: EngineProgress = ({ label, done, total, unit }) => {
  if (unit !== "bytes" && unit !== "rows") return;
  const now = performance.now();
  if (label === told.label && now - told.at < PROGRESS_MS) return;
  told = { label, at: now };
  say({ type: "progress", progress: { label, done, total, unit } });
};
const work: WorkContext = {
  // Whoever calls work off ends this process.
  signal: new AbortController().signal,
  log: () => undefined,
  progress,
  tempDir: process.cwd(),
  applicationName: "holdfast",
};

async function perform(request: SandboxRequestMessage): Promise<unknown> {
  switch (request.task) {
    case "restore":
      return await restoreSqlite(
        target,
        async () => new Socket({ fd: BODY_FD, readable: true, writable: false }),
        { jobs: 1, spoolDir: null, owners: false },
        work,
      );
    case "fingerprint":
      return await fingerprintFile(
        file,
        { digestBudgetMs: Number.POSITIVE_INFINITY, like: request.like },
        work,
      );
    case "check":
      return await checkRestoredSqlite(target, work);
  }
}

function asAnswer(error: unknown): SandboxAnswer {
  const message = messageOf(error).slice(0, MESSAGE);
  if (!isHoldfastError(error)) return { type: "error", code: null, message };
  const { code, remedy } = error;
  const known = code === "invalid" || code === "unavailable" || code === "conflict" ? code : null;
  return { type: "error", code: known, message, ...(remedy ? { remedy: remedy.slice(0, MESSAGE) } : {}) };
}

// Nobody is left to tell anything to.
process.stdout.on("error", () => process.exit(1));
const requests = createInterface({ input: process.stdin });
requests.on("close", () => process.exit(0));
requests.on("line", async (line) => {
  try {
    say({ type: "result", value: await perform(JSON.parse(line) as SandboxRequestMessage) });
  } catch (error) {
    say(asAnswer(error));
  }
});
say({ type: "ready", version: SQLITE_VERSION });
