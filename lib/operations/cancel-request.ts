import type { Db, Tx } from "../db/client.ts";
import type { OperationState } from "../db/generated/client.ts";
import { emitEvent } from "../events/emit.ts";
import { endWithoutHandler } from "./end.ts";
import { recordTransition } from "./transition.ts";

/**
 * Asks for an operation's end, in the caller's transaction: a queued one is cancelled at once, a running one is
 * `cancelling` until its worker has stopped the work and tidied up. Returns the state before, or null when there
 * is no such operation; one that has ended or is being cancelled already stays as it is.
 */
export async function cancelIn(tx: Tx, operationId: string, by: string): Promise<OperationState | null> {
  await tx.$queryRaw`SELECT 1 FROM operation WHERE id = ${operationId}::uuid FOR UPDATE`;
  const row = await tx.operation.findUnique({ where: { id: operationId } });
  if (!row) return null;
  const asked = { cancelAskedAt: new Date(), cancelAskedBy: by };
  if (row.state === "queued") {
    await tx.operation.update({ where: { id: operationId }, data: asked });
    const reason = `cancelled by ${by}`;
    await endWithoutHandler(tx, row, { state: "cancelled", reason }, null);
    await tellBackup(tx, operationId, reason);
  }
  if (row.state === "running") {
    const reason = `${by} asked to cancel it`;
    await tx.operation.update({
      where: { id: operationId },
      data: { ...asked, state: "cancelling", reason },
    });
    await recordTransition(tx, { operationId, attempt: row.attempt, state: "cancelling", reason });
  }
  return row.state;
}

/** A backup that never began is told here: there may be no worker for a long time to do it. */
async function tellBackup(tx: Tx, operationId: string, reason: string): Promise<void> {
  const backup = await tx.backup.findFirst({
    where: { operationId, state: "running" },
    select: { id: true },
  });
  if (!backup) return;
  const { id } = backup;
  await tx.backup.update({ where: { id }, data: { state: "cancelled", reason, finishedAt: new Date() } });
  await tx.copy.updateMany({ where: { backupId: id, state: "writing" }, data: { state: "failed", reason } });
  await emitEvent(tx, "backups", id);
  await emitEvent(tx, "overview");
}

/** The same outside of a verb, without audit: a parent that ends takes its children with it. */
export async function askToCancel(db: Db, operationId: string, by: string): Promise<void> {
  await db.$transaction((tx) => cancelIn(tx, operationId, by));
}
