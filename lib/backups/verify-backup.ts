import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { triggerOf } from "../databases/start-preflight.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { getOperation } from "../operations/get-operation.ts";
import type { OperationItem } from "../operations/schema.ts";
import { startOperation } from "../operations/start-operation.ts";
import { findBackup, lockKept } from "./find-backup.ts";
import { verifyBackupOperation } from "./operations/verify-backup.ts";
import { verifyBackupInput } from "./schema.ts";

/**
 * Queues a proof of a backup: of all its copies, or of the one at `destination`. Throws `refused` for a backup
 * that was not finished, `conflict` while a proof of it is queued or running.
 */
export async function verifyBackup(
  ctx: Ctx,
  backupId: string,
  input: z.input<typeof verifyBackupInput> = {},
): Promise<OperationItem> {
  const backup = await findBackup(ctx, ctx.db, backupId, "backup.verify");
  const { destination } = verifyBackupInput.parse(input);
  if (backup.state !== "complete" && backup.state !== "partial") {
    throw new HoldfastError("refused", `This backup is ${backup.state}; there is nothing to prove.`, {
      remedy: "Choose a backup that was finished.",
    });
  }
  const copy = destination ? backup.copies.find((one) => one.destination.name === destination) : undefined;
  if (destination && !copy) {
    throw new HoldfastError("not_found", `This backup has no copy at "${destination}".`, {
      fields: { destination: "no copy there" },
    });
  }
  const operationId = await ctx.db.$transaction(async (tx) => {
    await lockKept(tx, backup.id);
    const running = await tx.operation.findFirst({
      where: {
        backupId: backup.id,
        kind: verifyBackupOperation.kind,
        state: { in: ["queued", "running", "cancelling"] },
      },
      select: { id: true, state: true },
    });
    if (running) {
      throw new HoldfastError("conflict", `A proof of it is ${running.state} already: ${running.id}.`, {
        remedy: `Follow it under Operations (/operations/${running.id}).`,
      });
    }
    const id = await startOperation(tx, ctx, verifyBackupOperation, {
      payload: { backupId: backup.id, ...(copy ? { copyId: copy.id } : {}) },
      title: `Prove ${backup.database.name}`,
      pool: backup.database.pool,
      trigger: triggerOf(ctx),
      databaseId: backup.databaseId,
      backupId: backup.id,
    });
    await emitAudit(tx, ctx, {
      action: "backup.verify",
      object: { kind: "backup", id: backup.id, name: backup.database.name },
      after: { operationId: id, ...(destination ? { destination } : {}) },
    });
    await emitEvent(tx, "backups", backup.id);
    await emitEvent(tx, "overview");
    return id;
  });
  return await getOperation(ctx, operationId);
}
