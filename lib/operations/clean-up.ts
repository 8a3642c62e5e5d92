import type { Ctx } from "../context.ts";
import { isHoldfastError } from "../errors.ts";
import type { EndingOperation, HandlerOf } from "./end.ts";
import { endedOf } from "./end.ts";
import { writeUnsettled } from "./unsettled.ts";

/**
 * Does what ended attempts of an operation left undone, oldest first: tells the domain's rows if nobody could,
 * then objects, sessions and folders. Throws when that fails; the note of it stays, and it is tried again.
 */
export async function cleanUpAttempts(ctx: Ctx, operationId: string, handlerOf: HandlerOf): Promise<void> {
  const { db } = ctx;
  const left = await db.operationCleanUp.findMany({ where: { operationId }, orderBy: { attempt: "asc" } });
  if (left.length === 0) return;
  const row = await db.operation.findUnique({ where: { id: operationId } });
  const handler = row ? handlerOf(row.kind) : undefined;
  // Another version's kind: a worker that knows it comes again.
  if (row && !handler) return;
  for (const { attempt, state, reason, retry, told } of left) {
    const key = { operationId_attempt: { operationId, attempt } };
    if (row && handler && (state === "failed" || state === "cancelled" || state === "interrupted")) {
      const operation: EndingOperation = { ...row, attempt };
      const ended = endedOf(operation, state, reason, retry);
      await db.operationCleanUp.update({ where: key, data: { tries: { increment: 1 } } });
      if (!told) {
        await db.$transaction(async (tx) => {
          await handler.onEnd?.(tx, ended);
          await tx.operationCleanUp.update({ where: key, data: { told: true } });
        });
      }
      await handler.cleanUp?.(ctx, ended);
      if (ended.unsettled !== null) await db.$transaction((tx) => writeUnsettled(tx, operationId, null));
    }
    await db.operationCleanUp.deleteMany({ where: { operationId, attempt } });
  }
}

/** A sentence part for the reason of an attempt that could not begin. */
export function cleanUpFailure(error: unknown): string {
  const why = isHoldfastError(error) ? error.message : "see the worker's log";
  return `what the attempt before it left could not be tidied up: ${why}`;
}
