import type { Db, Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";
import type { Logger } from "../logger.ts";
import { LOST_AFTER_SECONDS } from "../workers/worker-row.ts";
import { enqueue, enqueueCleanUp, queueName } from "./dispatch.ts";
import type { HandlerOf } from "./end.ts";
import { endWithoutHandler } from "./end.ts";
import { wakeWaiting } from "./slots.ts";

/** Of several processes one reconciles at a time. */
const RECONCILE_LOCK = 7_201_531_002n;
const MOST_PER_PASS = 100;
/** Clean-ups that fail this often are left to the person who reads the log. */
const MOST_CLEAN_UP_TRIES = 50;
/** Longer than the time between two passes. */
const TOLD_SECONDS = 10;

export interface ReconcileOptions {
  db: Db;
  log: Logger;
  /** Null in the web process, which knows no handlers. */
  handlerOf: HandlerOf | null;
  /**
   * Milliseconds after the end of a lease until the operation counts as lost. Longer in web than in workers, so
   * that a worker, which can tell the domain's rows at once, comes first.
   */
  graceMs: number;
  /** After a restart of the database server workers get this long to renew what they hold. */
  restartGraceMs: number;
  /** An operation that is queued this long without a job in the queue is sent again. */
  unsentMs: number;
}

/**
 * One pass over everything that could be stuck: lost workers, lost jobs, slots that nobody holds any more,
 * missed wake-ups, unfinished clean-ups. Returns false when another process is at it.
 */
export async function reconcile(options: ReconcileOptions): Promise<boolean> {
  const { db } = options;
  return await db.$transaction(
    async (lock) => {
      const [row] = await lock.$queryRaw<{ ours: boolean }[]>`
        SELECT pg_try_advisory_xact_lock(${RECONCILE_LOCK}) AS ours`;
      if (!row?.ours) return false;
      await endLost(options);
      await freeUnheldSlots(db);
      await wakeMissed(db);
      await sendUnsent(options);
      await sendCleanUps(options);
      await tellOfSilence(db);
      return true;
    },
    { maxWait: 5_000, timeout: 60_000 },
  );
}

/** Operations whose worker has stopped renewing the lease: interrupted, and tried again where that is allowed. */
async function endLost({ db, log, handlerOf, graceMs, restartGraceMs }: ReconcileOptions): Promise<void> {
  const lost = await db.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM operation
     WHERE state IN ('running', 'cancelling')
       AND lease_until < now() - ${graceMs} * interval '1 millisecond'
       AND pg_postmaster_start_time() < now() - ${restartGraceMs} * interval '1 millisecond'
     ORDER BY lease_until LIMIT ${MOST_PER_PASS}`;
  for (const { id } of lost) {
    await one(log, id, () =>
      db.$transaction(async (tx) => {
        const locked = await tx.$queryRaw<{ worker: string | null }[]>`
          SELECT (SELECT name FROM worker w WHERE w.id = o.worker_id) AS worker FROM operation o
           WHERE o.id = ${id}::uuid AND o.state IN ('running', 'cancelling')
             AND o.lease_until < now() - ${graceMs} * interval '1 millisecond'
             FOR UPDATE OF o SKIP LOCKED`;
        if (locked.length > 0) await endOne(tx, id, locked[0]?.worker ?? "its worker", handlerOf);
      }),
    );
  }
}

async function endOne(tx: Tx, id: string, worker: string, handlerOf: HandlerOf | null): Promise<void> {
  const row = await tx.operation.findUniqueOrThrow({ where: { id } });
  const cancelling = row.state === "cancelling";
  const retry = !cancelling && row.attempt < row.maxAttempts;
  const reason = cancelling
    ? `The worker ${worker} was lost while it was cancelling this.`
    : `The worker ${worker} was lost: it stopped renewing its claim.`;
  await endWithoutHandler(tx, row, { state: "interrupted", reason, retry }, handlerOf);
}

async function freeUnheldSlots(db: Db): Promise<void> {
  await db.$transaction(async (tx) => {
    const freed = await tx.$queryRaw<{ key: string }[]>`
      DELETE FROM slot WHERE key IN (
        SELECT s.key FROM slot s
         WHERE s.lease_until < now()
           AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.id = s.operation_id AND o.state IN ('running', 'cancelling'))
         FOR UPDATE SKIP LOCKED)
      RETURNING key`;
    await wakeWaiting(
      tx,
      freed.map(({ key }) => key),
    );
  });
}

/** Those who wait for something that is free; a server is free when one of its places may be. */
async function wakeMissed(db: Db): Promise<void> {
  await db.$transaction(async (tx) => {
    const missed = await tx.$queryRaw<{ key: string }[]>`
      SELECT DISTINCT o.waits_for AS key FROM operation o
       WHERE o.state = 'queued' AND o.waits_for IS NOT NULL
         AND (starts_with(o.waits_for, 'server:')
              OR NOT EXISTS (SELECT 1 FROM slot s WHERE s.key = o.waits_for AND s.lease_until > now()))
       LIMIT ${MOST_PER_PASS}`;
    await wakeWaiting(
      tx,
      missed.map(({ key }) => key),
    );
  });
}

/** Reads pg-boss's job table (12.35.0), because one query has to cover all waiting operations. */
async function sendUnsent({ db, unsentMs }: ReconcileOptions): Promise<void> {
  await db.$transaction(async (tx) => {
    const unsent = await tx.$queryRaw<{ id: string; pool: string }[]>`
      SELECT o.id::text, o.pool FROM operation o
       WHERE o.state = 'queued' AND o.waits_for IS NULL
         AND o.created_at < now() - ${unsentMs} * interval '1 millisecond'
         AND NOT EXISTS (
           SELECT 1 FROM pgboss.job j
            WHERE j.name = ${queueName("")} || o.pool AND j.singleton_key = o.id::text
              AND (j.state IN ('created', 'retry')
                   OR j.state = 'active' AND j.started_on > now() - ${unsentMs} * interval '1 millisecond'))
       ORDER BY o.created_at, o.id LIMIT ${MOST_PER_PASS}`;
    for (const { id, pool } of unsent) await enqueue(tx, { operationId: id, pool });
  });
}

async function sendCleanUps({ db, unsentMs }: ReconcileOptions): Promise<void> {
  await db.$transaction(async (tx) => {
    const due = await tx.$queryRaw<{ operation_id: string; attempt: number; pool: string }[]>`
      SELECT c.operation_id::text, c.attempt, c.pool
        FROM operation_clean_up c JOIN operation o ON o.id = c.operation_id
       WHERE o.state NOT IN ('queued', 'running', 'cancelling') AND c.tries < ${MOST_CLEAN_UP_TRIES}
         AND c.created_at < now() - ${unsentMs} * interval '1 millisecond'
         AND NOT EXISTS (
           SELECT 1 FROM pgboss.job j
            WHERE j.name = ${queueName("")} || c.pool
              AND j.singleton_key = c.operation_id::text || '#' || c.attempt
              AND (j.state IN ('created', 'retry') OR j.state = 'active' AND j.started_on > now() - interval '15 minutes'))
       LIMIT ${MOST_PER_PASS}`;
    for (const { operation_id: operationId, attempt, pool } of due) {
      await enqueueCleanUp(tx, { operationId, attempt, pool });
    }
  });
}

/** Browsers hear of a worker that has just fallen silent; nobody else would tell them. */
async function tellOfSilence(db: Db): Promise<void> {
  const silent = await db.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM worker
     WHERE stopped_at IS NULL AND heartbeat_at < now() - ${LOST_AFTER_SECONDS} * interval '1 second'
       AND heartbeat_at > now() - ${LOST_AFTER_SECONDS + TOLD_SECONDS} * interval '1 second'`;
  if (silent.length === 0) return;
  await db.$transaction(async (tx) => {
    for (const { id } of silent) await emitEvent(tx, "workers", id);
  });
}

/** One that fails must not keep the others from being put right. */
async function one(log: Logger, operationId: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error({ err: error, operationId }, "an operation could not be reconciled");
  }
}
