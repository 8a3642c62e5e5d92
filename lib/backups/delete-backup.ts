import type { Ctx } from "../context.ts";
import { triggerOf } from "../databases/start-preflight.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { formatCount } from "../format.ts";
import { getOperation } from "../operations/get-operation.ts";
import type { OperationItem } from "../operations/schema.ts";
import { provenFloor } from "../policies/proven-floor.ts";
import type { BackupRow } from "./backup-item.ts";
import { findBackup, lockKept } from "./find-backup.ts";
import { busyBackups, markRemoving } from "./mark-removing.ts";

/**
 * Queues the deletion of a backup's objects at every destination; its record stays. Throws `refused` for the last
 * good backup of its database, for one of the newest proven ones that its policies keep, for one that is pinned, in
 * use, or was not finished; `conflict` when it is being deleted already.
 */
export async function deleteBackup(ctx: Ctx, backupId: string): Promise<OperationItem> {
  const backup = await findBackup(ctx, ctx.db, backupId, "backup.delete");
  const operationId = await ctx.db.$transaction(async (tx) => {
    // One decision about a database's backups at a time: each counts on what the others leave.
    await tx.$queryRaw`SELECT 1 FROM database WHERE id = ${backup.databaseId}::uuid FOR NO KEY UPDATE`;
    await lockKept(tx, backup.id);
    await requireDeletable(tx, await findBackup(ctx, tx, backup.id, "backup.delete"));
    return await markRemoving(tx, ctx, {
      database: backup.database,
      backupIds: [backup.id],
      reason: `Deleted by ${ctx.actor.name}.`,
      trigger: triggerOf(ctx),
      now: ctx.clock.now(),
    });
  });
  if (!operationId)
    throw new HoldfastError("conflict", "This backup changed meanwhile.", { remedy: "Look again." });
  return await getOperation(ctx, operationId);
}

async function requireDeletable(tx: Tx, backup: BackupRow): Promise<void> {
  if (backup.state !== "complete" && backup.state !== "partial") {
    throw new HoldfastError("refused", `This backup is ${backup.state}; it holds nothing to delete.`);
  }
  if (backup.pinnedAt) {
    throw new HoldfastError("refused", `${backup.pinnedBy} has pinned this backup: ${backup.pinReason}`, {
      remedy: "Unpin it first.",
    });
  }
  if ((await busyBackups(tx, [backup.id])).size > 0) {
    throw new HoldfastError("refused", "An operation on this backup is waiting or running.", {
      remedy: "Wait for its end, or cancel it, under Operations.",
    });
  }
  await requireOthers(tx, backup);
}

async function requireOthers(tx: Tx, { id, database, databaseId }: BackupRow): Promise<void> {
  const good = await tx.backup.findMany({
    where: {
      databaseId,
      state: { in: ["complete", "partial"] },
      removingAt: null,
      copies: { some: { state: "stored" } },
      OR: [{ proofVerdict: null }, { proofVerdict: { not: "failed" } }],
    },
    select: { id: true, proofVerdict: true },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
  });
  if (!good.some((other) => other.id !== id)) {
    throw new HoldfastError("refused", `This is the last good backup of ${database.name}.`, {
      remedy: "Make another one first, and prove it.",
    });
  }
  const proven = good.filter(({ proofVerdict }) => proofVerdict === "proven");
  const floor = await provenFloor(tx, database);
  if (!proven.slice(0, floor).some((one) => one.id === id)) return;
  throw new HoldfastError(
    "refused",
    floor === 1
      ? `This is the newest proven backup of ${database.name}.`
      : `This is one of the newest ${formatCount(floor)} proven backups of ${database.name}, which always stay.`,
    {
      remedy:
        floor === 1
          ? "Make and prove a newer one first."
          : "Make and prove newer ones first, or let its policy keep fewer proven backups.",
    },
  );
}
