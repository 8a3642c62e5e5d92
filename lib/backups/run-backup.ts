import type { z } from "zod";
import type { Ctx } from "../context.ts";
import { findDatabase } from "../databases/find-database.ts";
import { triggerOf } from "../databases/start-preflight.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { backupInclude, backupItem } from "./backup-item.ts";
import { createBackup } from "./create-backup.ts";
import { runBackupOperation } from "./operations/run-backup.ts";
import type { BackupItem } from "./schema.ts";
import { runBackupInput } from "./schema.ts";

/**
 * Queues a backup of a database to all destinations; its proof follows unless `verify` is false. Throws
 * `conflict` while one is queued or running, `refused` for an archived database or without a destination.
 */
export async function runBackup(ctx: Ctx, input: z.input<typeof runBackupInput>): Promise<BackupItem> {
  const { database: nameOrId, verify } = runBackupInput.parse(input);
  const database = await findDatabase(ctx, ctx.db, nameOrId, "backup.run");
  const backupId = await ctx.db.$transaction(async (tx) => {
    await lockDatabase(tx, database);
    const created = await createBackup(tx, ctx, {
      database,
      verify,
      trigger: triggerOf(ctx),
      title: `Back up ${database.name}`,
    });
    return created.backupId;
  });
  const row = await ctx.db.backup.findUniqueOrThrow({ where: { id: backupId }, include: backupInclude });
  return backupItem(row);
}

/** Two clicks at once come one after the other here, and the second one sees the first one's operation. */
async function lockDatabase(tx: Tx, { id, name }: { id: string; name: string }): Promise<void> {
  const [locked] = await tx.$queryRaw<{ archived: boolean }[]>`
    SELECT archived_at IS NOT NULL AS archived FROM database WHERE id = ${id}::uuid FOR UPDATE`;
  if (!locked || locked.archived) {
    throw new HoldfastError("refused", `${name} is archived.`, { remedy: "Bring it back first." });
  }
  const running = await tx.operation.findFirst({
    where: {
      databaseId: id,
      kind: runBackupOperation.kind,
      state: { in: ["queued", "running", "cancelling"] },
    },
    select: { id: true, state: true },
  });
  if (!running) return;
  throw new HoldfastError("conflict", `A backup of ${name} is ${running.state} already: ${running.id}.`, {
    remedy: `Follow it under Operations (/operations/${running.id}), or cancel it there first.`,
  });
}
