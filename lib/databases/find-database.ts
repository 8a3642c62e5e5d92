import type { Permission } from "../auth/permissions.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";

/**
 * The database of this name or id, after checking that the actor has the permission on it. Throws `forbidden`
 * for the role, `not_found` when there is none or it is out of the actor's limits.
 */
export async function findDatabase(ctx: Ctx, tx: Tx, nameOrId: string, permission: Permission) {
  const found = await tx.database.findUnique({
    where: isId(nameOrId) ? { id: nameOrId } : { name: nameOrId },
    include: { environment: true },
  });
  const target = found
    ? { environment: found.environment.name, application: found.application }
    : { environment: "", application: "" };
  requirePermission(ctx, permission, target);
  if (found) return found;
  throw new HoldfastError("not_found", `There is no database "${nameOrId}".`, {
    remedy: "Look at the list of databases for its name.",
  });
}
