import type { Db, Tx } from "../db/client.ts";
import type { OperationState } from "../db/generated/client.ts";
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
    await endWithoutHandler(tx, row, { state: "cancelled", reason: `cancelled by ${by}` }, null);
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

/** The same outside of a verb, without audit: a parent that ends takes its children with it. */
export async function askToCancel(db: Db, operationId: string, by: string): Promise<void> {
  await db.$transaction((tx) => cancelIn(tx, operationId, by));
}
