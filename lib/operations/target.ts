import type { Target } from "../auth/permissions.ts";
import { inScope } from "../auth/permissions.ts";
import type { Actor, Ctx } from "../context.ts";
import type { Db } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";

/** What an operation is about, for permissions; null when there is no such operation. */
export async function operationTarget(
  db: Db,
  operationId: string,
): Promise<{ title: string; scope: Target } | null> {
  const row = await db.operation.findUnique({
    where: { id: operationId },
    select: {
      title: true,
      database: { select: { application: true, environment: { select: { name: true } } } },
    },
  });
  if (!row) return null;
  const { title, database } = row;
  return {
    title,
    scope: database ? { environment: database.environment.name, application: database.application } : {},
  };
}

/** Throws `not_found` for an operation that does not exist or is out of the actor's limits. */
export async function requireOperation(ctx: Ctx, operationId: string): Promise<void> {
  const target = isId(operationId) ? await operationTarget(ctx.db, operationId) : null;
  if (!target || !inScope(ctx.actor, target.scope)) {
    throw new HoldfastError("not_found", "There is no such operation, or it is out of your limits.");
  }
}

/** Operations within an actor's limits, as a condition for queries; undefined when there are none. */
export function withinLimits(actor: Actor): Prisma.OperationWhereInput | undefined {
  if (actor.kind === "system" || actor.kind === "schedule") return undefined;
  const { environments, applications } = actor.scope;
  if (environments.length === 0 && applications.length === 0) return undefined;
  return {
    database: {
      ...(environments.length > 0 ? { environment: { name: { in: environments } } } : {}),
      ...(applications.length > 0 ? { application: { in: applications } } : {}),
    },
  };
}
