import { inScope, requirePermission, roleAllows } from "../auth/permissions.ts";
import type { Actor, Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";
import type { ItemRow } from "./operation-item.ts";
import { itemSelect, toItem, workerNames } from "./operation-item.ts";
import type { OperationDto } from "./schema.ts";
import { operationSchema } from "./schema.ts";
import { withinLimits } from "./target.ts";

const MOST_RELATED = 50;
const MOST_STEPS = 500;
const MOST_TRANSITIONS = 100;

const select = {
  ...itemSelect,
  result: true,
  error: true,
  database: { select: { name: true, application: true, environment: { select: { name: true } } } },
} as const;

/**
 * One operation with its steps, its changes of state and the operations of the same root. Throws `not_found`
 * when there is none or it is out of the actor's limits.
 */
export async function getOperation(ctx: Ctx, operationId: string): Promise<OperationDto> {
  requirePermission(ctx, "read");
  const { db } = ctx;
  const row = isId(operationId)
    ? await db.operation.findUnique({ where: { id: operationId }, select })
    : null;
  const scope = { environment: row?.database?.environment.name, application: row?.database?.application };
  if (!row || !inScope(ctx.actor, scope)) {
    throw new HoldfastError("not_found", "There is no such operation, or it is out of your limits.");
  }
  const [steps, transitions, related] = await Promise.all([
    db.operationStep.findMany({
      where: { operationId },
      orderBy: [{ attempt: "asc" }, { seq: "asc" }],
      take: MOST_STEPS,
    }),
    db.operationTransition.findMany({
      where: { operationId },
      orderBy: { id: "asc" },
      take: MOST_TRANSITIONS,
    }),
    db.operation.findMany({
      where: { rootId: row.rootId, id: { not: operationId }, ...withinLimits(ctx.actor) },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
      take: MOST_RELATED,
      select: itemSelect,
    }),
  ]);
  const workers = await workerNames(db, [row, ...related]);
  const { result, error, database, ...rest } = row;
  const item: ItemRow = { ...rest, database: database ? { name: database.name } : null };
  const { shape } = operationSchema;
  return {
    ...toItem(item, workers),
    steps: steps.map((step) => ({
      attempt: step.attempt,
      seq: step.seq,
      name: step.name,
      state: shape.steps.element.shape.state.catch("failed").parse(step.state),
      detail: step.detail,
      startedAt: step.startedAt.toISOString(),
      finishedAt: step.finishedAt?.toISOString() ?? null,
    })),
    transitions: transitions.map(({ attempt, state, reason, at }) => ({
      attempt,
      state,
      reason,
      at: at.toISOString(),
    })),
    result: shape.result.catch(null).parse(result),
    error: shape.error.catch(null).parse(error),
    related: related.map((one) => toItem(one, workers)),
    cancellable: (row.state === "queued" || row.state === "running") && mayCancel(ctx.actor),
  };
}

function mayCancel(actor: Actor): boolean {
  return actor.kind === "system" || actor.kind === "schedule" || roleAllows(actor.role, "operation.cancel");
}
