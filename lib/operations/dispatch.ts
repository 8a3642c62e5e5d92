import type { ConstructorOptions, Queue } from "pg-boss";
import { fromPrisma, PgBoss } from "pg-boss";
import type { Db, Tx } from "../db/client.ts";

export const BOSS_SCHEMA = "pgboss";

/** What a dispatched job carries; everything else is in the ledger. */
export interface DispatchJob {
  operationId: string;
  /** Set when an ended attempt is to be tidied up instead of the operation run. */
  cleanUpAttempt?: number;
}

/**
 * pg-boss only hands out work; a job that it loses, repeats or expires is put right by the ledger's own rules.
 * "short": at most one waiting job per operation, so that sending again is harmless.
 */
const QUEUE: Omit<Queue, "name"> = {
  policy: "short",
  notify: true,
  retryLimit: 5,
  retryDelay: 2,
  expireInSeconds: 86_400,
  deleteAfterSeconds: 3600,
};

export function queueName(pool: string): string {
  return `operations-${pool}`;
}

/** Never started, so it holds no connection and no timer: every statement runs in the transaction. */
function bossIn(tx: Tx | Db): PgBoss {
  const options: ConstructorOptions = {
    db: fromPrisma(tx),
    schema: BOSS_SCHEMA,
    migrate: false,
    supervise: false,
    schedule: false,
  };
  return new PgBoss(options);
}

/**
 * Makes the queue of a pool if it does not exist yet. Calls pg-boss's database function (12.35.0): its
 * createQueue() sends a script with a COMMIT of its own, which would end the caller's transaction.
 */
export async function ensureQueue(tx: Tx | Db, pool: string): Promise<void> {
  if (await bossIn(tx).getQueue(queueName(pool))) return;
  await tx.$executeRaw`SELECT pgboss.create_queue(${queueName(pool)}, ${JSON.stringify(QUEUE)}::jsonb)`;
}

/**
 * Hands a queued operation to the workers of a pool, in the caller's transaction: they hear of it when that
 * commits, and never if it does not. Sending again while a job waits does nothing.
 */
export async function enqueue(tx: Tx, job: { operationId: string; pool: string }): Promise<void> {
  await send(tx, job.pool, job.operationId, { operationId: job.operationId });
}

/** Hands the clean-up of an ended attempt to the workers of a pool, in the caller's transaction. */
export async function enqueueCleanUp(
  tx: Tx,
  job: { operationId: string; attempt: number; pool: string },
): Promise<void> {
  const { operationId, attempt } = job;
  await send(tx, job.pool, `${operationId}#${attempt}`, { operationId, cleanUpAttempt: attempt });
}

async function send(tx: Tx, pool: string, singletonKey: string, data: DispatchJob): Promise<void> {
  await ensureQueue(tx, pool);
  await bossIn(tx).send(queueName(pool), data, { db: fromPrisma(tx), singletonKey });
}
