import type { Db } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";

export interface WorkerRow {
  id: string;
  name: string;
  pool: string;
  host: string;
  pid: number;
  version: string;
  abilities: {
    tools: Record<string, string>;
    sandboxes: string[];
    isolation: string;
    isolationDetail: string;
  };
}

/** A worker that has not been heard of for this long counts as lost. */
export const LOST_AFTER_SECONDS = 30;
/** Rows of workers that ended are kept this long, for the screen and for the names in old operations' reasons. */
const KEEP_DAYS = 30;

/** Announces a worker that starts; removes rows of those that ended long ago. */
export async function registerWorker(db: Db, worker: WorkerRow): Promise<void> {
  await db.$transaction(async (tx) => {
    await tx.worker.create({ data: worker });
    await tx.$executeRaw`
      DELETE FROM worker w WHERE w.heartbeat_at < now() - ${KEEP_DAYS} * interval '1 day'
         AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.worker_id = w.id AND o.state IN ('running', 'cancelling'))`;
    await emitEvent(tx, "workers", worker.id);
  });
}

export async function heartbeatWorker(db: Db, id: string): Promise<void> {
  await db.$executeRaw`UPDATE worker SET heartbeat_at = now(), stopped_at = NULL WHERE id = ${id}::uuid`;
}

/** Notes that a worker has ended in order. */
export async function stopWorker(db: Db, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await tx.$executeRaw`UPDATE worker SET heartbeat_at = now(), stopped_at = now() WHERE id = ${id}::uuid`;
    await emitEvent(tx, "workers", id);
  });
}
