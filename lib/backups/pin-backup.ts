import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { findBackup, lockKept } from "./find-backup.ts";
import { getBackup } from "./get-backup.ts";
import type { BackupDto } from "./schema.ts";
import { pinBackupInput } from "./schema.ts";

/**
 * Holds a backup: nothing deletes it until it is unpinned. Throws `refused` for one that was not finished or is
 * being deleted, `conflict` when it is pinned already.
 */
export async function pinBackup(
  ctx: Ctx,
  backupId: string,
  input: z.input<typeof pinBackupInput>,
): Promise<BackupDto> {
  const { id, state, database } = await findBackup(ctx, ctx.db, backupId, "backup.pin");
  const { reason } = pinBackupInput.parse(input);
  if (state !== "complete" && state !== "partial") {
    throw new HoldfastError("refused", `This backup is ${state}; there is nothing to keep.`, {
      remedy: "Choose a backup that was finished.",
    });
  }
  await ctx.db.$transaction(async (tx) => {
    await lockKept(tx, id);
    const { count } = await tx.backup.updateMany({
      where: { id, pinnedAt: null },
      data: { pinnedAt: ctx.clock.now(), pinnedBy: ctx.actor.name, pinReason: reason },
    });
    if (count === 0) {
      throw new HoldfastError("conflict", "This backup is pinned already.", {
        remedy: "Unpin it first to give another reason.",
      });
    }
    await emitAudit(tx, ctx, {
      action: "backup.pin",
      object: { kind: "backup", id, name: database.name },
      after: { reason },
    });
    await emitEvent(tx, "backups", id);
  });
  return await getBackup(ctx, id);
}

/** Lets the retention decide about it again. Throws `conflict` when it is not pinned. */
export async function unpinBackup(ctx: Ctx, backupId: string): Promise<BackupDto> {
  const { id, database, pinReason, pinnedBy } = await findBackup(ctx, ctx.db, backupId, "backup.pin");
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.backup.updateMany({
      where: { id, pinnedAt: { not: null } },
      data: { pinnedAt: null, pinnedBy: null, pinReason: null },
    });
    if (count === 0) throw new HoldfastError("conflict", "This backup is not pinned.");
    await emitAudit(tx, ctx, {
      action: "backup.unpin",
      object: { kind: "backup", id, name: database.name },
      before: { reason: pinReason, by: pinnedBy },
    });
    await emitEvent(tx, "backups", id);
  });
  return await getBackup(ctx, id);
}
