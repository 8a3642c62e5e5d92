import { readFile } from "node:fs/promises";
import path from "node:path";
import { runChainer } from "../lib/audit/chain.ts";
import { systemClock } from "../lib/context.ts";
import { openDb } from "../lib/db/client.ts";
import { parseEnv } from "../lib/env.ts";
import { HoldfastError, isHoldfastError, messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { createLogger } from "../lib/logger.ts";
import { checkKeys } from "../lib/secrets/check-keys.ts";
import { processKeyring } from "../lib/secrets/process-keyring.ts";
import { onParentGone } from "../lib/start/parent-pipe.ts";
import { requireTempRoot, tempRoot } from "../lib/transfer/work-folder.ts";
import { findAbilities } from "../lib/workers/abilities.ts";
import { startChores } from "./chores.ts";
import { handlers } from "./register-handlers.ts";
import { startWorker } from "./start-worker.ts";
import { sweep } from "./sweep.ts";

/** Operations may finish within this time after SIGTERM; then they are aborted and queued again. */
const DRAIN_MS = 3_000;
const ABORT_GRACE_MS = 12_000;
/** Another worker on this machine may be lost while this one runs on. */
const SWEEP_MS = 20_000;
/** Prisma and pg-boss together; a worker's own statements are few. */
const CONNECTIONS = 4;

async function main(log: Logger): Promise<void> {
  const env = parseEnv(process.env);
  if (!env.DATABASE_URL) {
    throw new HoldfastError(
      "invalid",
      "DATABASE_URL is not set, and a worker brings no database of its own.",
      {
        remedy:
          "Set it to the Postgres of the web process, or run everything on this machine with: npm start",
      },
    );
  }
  await requireTempRoot(tempRoot(process.env));
  const db = openDb(env.DATABASE_URL, { max: CONNECTIONS, applicationName: "holdfast worker" });
  const keyring = await processKeyring();
  await checkKeys(db, keyring);
  await sweep(log);
  const sweeping = setInterval(() => void sweep(log), SWEEP_MS);
  const worker = await startWorker({
    env,
    databaseUrl: env.DATABASE_URL,
    db,
    log,
    handlers,
    abilities: await findAbilities(),
    version: await ownVersion(),
    abortGraceMs: ABORT_GRACE_MS,
  });
  const chores = startChores({ db, log, clock: systemClock });
  const stopChain = new AbortController();
  const chain = runChainer(
    { db, log, clock: systemClock },
    { auditKey: keyring.auditKey, signal: stopChain.signal },
  );
  let ending = false;
  const end = async (why: string, graceMs: number) => {
    if (ending) return;
    ending = true;
    log.info({ why }, "worker stops");
    try {
      clearInterval(sweeping);
      stopChain.abort();
      await worker.stop(graceMs);
      await chores.stop();
      await chain;
      await db.$disconnect();
    } catch (error) {
      // What could not be written, another process's reconciler puts right.
      log.error({ err: messageOf(error) }, "worker did not stop in order");
    }
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end(signal, DRAIN_MS));
  onParentGone(() => void end("its supervisor is gone", 0));
}

async function ownVersion(): Promise<string> {
  const text = await readFile(path.resolve(import.meta.dirname, "../package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

const log = createLogger("worker", process.env.HOLDFAST_LOG_LEVEL || "info");
main(log).catch((error: unknown) => {
  const remedy = isHoldfastError(error) ? error.remedy : undefined;
  log.error({ err: error, remedy }, `The worker could not start: ${messageOf(error)}`);
  process.exit(1);
});
