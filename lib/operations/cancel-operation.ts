import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";
import { cancelIn } from "./cancel-request.ts";
import { getOperation } from "./get-operation.ts";
import type { OperationDto } from "./schema.ts";
import { finalStates } from "./schema.ts";
import { operationTarget } from "./target.ts";

/**
 * Asks for the end of an operation. A queued one is cancelled at once; a running one is `cancelling` until its
 * worker has stopped the work and removed what it had begun. Asking twice changes nothing. Throws `not_found`,
 * and `conflict` when it has ended already.
 */
export async function cancelOperation(ctx: Ctx, operationId: string): Promise<OperationDto> {
  const target = isId(operationId) ? await operationTarget(ctx.db, operationId) : null;
  requirePermission(ctx, "operation.cancel", target?.scope ?? {});
  if (!target) throw new HoldfastError("not_found", "There is no such operation.");
  await ctx.db.$transaction(async (tx) => {
    const before = await cancelIn(tx, operationId, ctx.actor.name);
    if (before === null) throw new HoldfastError("not_found", "There is no such operation.");
    if (finalStates.includes(before)) {
      throw new HoldfastError("conflict", `The operation has ended already: it is ${before}.`);
    }
    if (before === "cancelling") return;
    await emitAudit(tx, ctx, {
      action: "operation.cancel",
      object: { kind: "operation", id: operationId, name: target.title },
      before: { state: before },
      after: { state: before === "queued" ? "cancelled" : "cancelling" },
    });
  });
  return await getOperation(ctx, operationId);
}
