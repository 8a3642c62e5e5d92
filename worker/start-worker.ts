import { hostname } from "node:os";
import type { Db } from "../lib/db/client.ts";
import type { Env } from "../lib/env.ts";
import { HoldfastError, messageOf } from "../lib/errors.ts";
import { listen } from "../lib/events/listen.ts";
import { newId } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import { OPERATIONS_CHANNEL } from "../lib/operations/channels.ts";
import { ensureQueue } from "../lib/operations/dispatch.ts";
import type { OperationHandler } from "../lib/operations/handler.ts";
import { startPickUp } from "../lib/operations/pick-up.ts";
import type { ReconcilerOptions } from "../lib/operations/reconciler.ts";
import { startReconciler } from "../lib/operations/reconciler.ts";
import { OperationRunner } from "../lib/operations/runner.ts";
import type { WorkerRow } from "../lib/workers/worker-row.ts";
import { heartbeatWorker, registerWorker, stopWorker } from "../lib/workers/worker-row.ts";

export interface WorkerOptions {
  env: Pick<
    Env,
    | "HOLDFAST_POOL"
    | "HOLDFAST_WORKER_NAME"
    | "HOLDFAST_CONCURRENCY"
    | "HOLDFAST_SERVER_CONCURRENCY"
    | "HOLDFAST_STALL_SECONDS"
  >;
  databaseUrl: string;
  db: Db;
  log: Logger;
  handlers: readonly OperationHandler[];
  abilities: WorkerRow["abilities"];
  version: string;
  /** Shorter times, so that a test of a lost worker takes seconds. */
  leaseMs?: number;
  abortGraceMs?: number;
  reconciler?: Partial<ReconcilerOptions>;
}

export interface RunningWorker {
  id: string;
  name: string;
  runner: OperationRunner;
  /** Claims nothing more, lets operations finish for `graceMs`, then aborts them; nothing runs afterwards. */
  stop(graceMs: number): Promise<void>;
}

const HEARTBEAT_MS = 5_000;

/** Starts the machinery of a worker: pick-up, leases, reconciler, heartbeat. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { env, db, log, databaseUrl } = options;
  const pool = env.HOLDFAST_POOL;
  const id = newId();
  const name = env.HOLDFAST_WORKER_NAME ?? `${hostname()}-${process.pid}`;
  const runner = new OperationRunner({
    db,
    log,
    workerId: id,
    workerName: name,
    handlers: options.handlers,
    concurrency: env.HOLDFAST_CONCURRENCY,
    serverConcurrency: env.HOLDFAST_SERVER_CONCURRENCY,
    stallSeconds: env.HOLDFAST_STALL_SECONDS,
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    ...(options.abortGraceMs === undefined ? {} : { abortGraceMs: options.abortGraceMs }),
  });
  await ensureQueue(db, pool);
  const { abilities, version } = options;
  await registerWorker(db, { id, name, pool, host: hostname(), pid: process.pid, version, abilities });
  runner.start();
  const news = listen({
    connectionString: databaseUrl,
    applicationName: "holdfast worker news",
    channels: [OPERATIONS_CHANNEL],
    log,
    onNotify: (_channel, operationId) => runner.look(operationId),
    onConnect: () => void runner.renew(),
  });
  const reconciler = startReconciler({ db, log, handlerOf: runner.handlerOf, ...options.reconciler });
  const heartbeat = setInterval(() => {
    heartbeatWorker(db, id).catch((error: unknown) => log.warn({ err: messageOf(error) }, "no heartbeat"));
  }, HEARTBEAT_MS);
  const pickUp = await startPickUp({ connectionString: databaseUrl, pool, runner, log }).catch(
    (error: unknown) => {
      throw new HoldfastError("unavailable", `The queue is not usable: ${messageOf(error)}`, {
        remedy: "Start the web process of this version first: it prepares the database.",
        cause: error,
      });
    },
  );
  log.info({ worker: name, pool, kinds: options.handlers.length }, "worker is up");
  return {
    id,
    name,
    runner,
    async stop(graceMs) {
      await pickUp.stop();
      await runner.drain(graceMs, `The worker ${name} was stopped.`);
      clearInterval(heartbeat);
      await reconciler.stop();
      await news.stop();
      await stopWorker(db, id);
    },
  };
}
