import type { Permission } from "../auth/permissions.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";
import { covers, databasesInUse, isLimited, visibleTo } from "./coverage.ts";
import { type PolicyRow, policyInclude, selectionOf } from "./policy-row.ts";

/**
 * The policy of this name or id. Throws `forbidden` for the role, `not_found` when there is none, or when it covers
 * nothing within the actor's limits.
 */
export async function findPolicy(
  ctx: Ctx,
  tx: Tx,
  nameOrId: string,
  permission: Permission,
): Promise<PolicyRow> {
  requirePermission(ctx, permission);
  const found = await tx.policy.findUnique({
    where: isId(nameOrId) ? { id: nameOrId } : { name: nameOrId },
    include: policyInclude,
  });
  if (found && (await isVisible(ctx, tx, found))) return found;
  throw new HoldfastError("not_found", `There is no policy "${nameOrId.slice(0, 80)}".`, {
    remedy: "Look under Policies for its name.",
  });
}

async function isVisible(ctx: Ctx, tx: Tx, row: PolicyRow): Promise<boolean> {
  if (!isLimited(ctx)) return true;
  const selection = selectionOf(row);
  return visibleTo(ctx, await databasesInUse(tx)).some((database) => covers(selection, database));
}

export function policyNameTaken(name: string): HoldfastError {
  return new HoldfastError("conflict", `There is a policy "${name}" already.`, {
    remedy: "Choose another name.",
    fields: { name: "is taken" },
  });
}
