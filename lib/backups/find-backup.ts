import type { Permission } from "../auth/permissions.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";
import { backupInclude } from "./backup-item.ts";

/**
 * The backup of this id, after checking that the actor has the permission on its database. Throws `forbidden`
 * for the role, `not_found` when there is none or it is out of the actor's limits.
 */
export async function findBackup(ctx: Ctx, tx: Tx, id: string, permission: Permission) {
  const found = isId(id) ? await tx.backup.findUnique({ where: { id }, include: backupInclude }) : null;
  const { database } = found ?? {};
  requirePermission(ctx, permission, {
    environment: database?.environment.name ?? "",
    application: database?.application ?? "",
  });
  if (found) return found;
  throw new HoldfastError("not_found", `There is no backup ${id.slice(0, 60)}.`, {
    remedy: "Look at the list of backups for its id.",
  });
}

/** Throws `refused` for a backup that was deleted, or is on its way out. */
export function requireKept({
  removingAt,
  removalReason,
}: {
  removingAt: Date | null;
  removalReason: string | null;
}): void {
  if (!removingAt) return;
  throw new HoldfastError("refused", `This backup is deleted. ${removalReason ?? ""}`.trim(), {
    remedy: "Choose another one.",
  });
}

/** The same in the transaction of what is about to use it, which then goes on alone. Its row stays locked. */
export async function lockKept(tx: Tx, id: string): Promise<void> {
  const [row] = await tx.$queryRaw<{ removingAt: Date | null; removalReason: string | null }[]>`
    SELECT removing_at AS "removingAt", removal_reason AS "removalReason"
      FROM backup WHERE id = ${id}::uuid FOR UPDATE`;
  if (row) requireKept(row);
}
