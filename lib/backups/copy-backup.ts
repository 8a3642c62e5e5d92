import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { triggerOf } from "../databases/start-preflight.ts";
import type { Tx } from "../db/client.ts";
import { findDestination } from "../destinations/find-destination.ts";
import { readableCopies } from "../destinations/readable-copies.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { getOperation } from "../operations/get-operation.ts";
import type { OperationItem } from "../operations/schema.ts";
import { startOperation } from "../operations/start-operation.ts";
import { type BackupRow, backupInclude } from "./backup-item.ts";
import { findBackup, lockKept } from "./find-backup.ts";
import { copyBackupOperation } from "./operations/copy-backup.ts";
import { copyBackupInput } from "./schema.ts";

/** Copies in these states are made again when asked for; what could not be reached may be there. */
const LACKING = ["missing", "altered", "failed"];

/**
 * Queues the making of copies that a backup lacks, from one that is good: at every destination where its copy is
 * missing, altered or failed, or at `destination`, where it may have none yet. Throws `refused` for a backup that
 * was not finished or has nothing to copy from or to, `conflict` while copies of it are being made.
 */
export async function copyBackup(
  ctx: Ctx,
  backupId: string,
  input: z.input<typeof copyBackupInput> = {},
): Promise<OperationItem> {
  const { id } = await findBackup(ctx, ctx.db, backupId, "backup.copy");
  const { destination } = copyBackupInput.parse(input);
  const operationId = await ctx.db.$transaction(async (tx) => {
    await lockKept(tx, id);
    const running = await runningCopies(tx, id);
    if (running) {
      throw new HoldfastError("conflict", `Copies of it are being made already: ${running.id}.`, {
        remedy: `Follow it under Operations (/operations/${running.id}).`,
      });
    }
    const backup = await tx.backup.findUniqueOrThrow({ where: { id }, include: backupInclude });
    const targets = await targetsOf(tx, backup, destination);
    return await startCopies(tx, ctx, backup, targets, triggerOf(ctx));
  });
  return await getOperation(ctx, operationId);
}

/** Queues the operation and ends what was planned for these copies. The caller has locked the backup's row. */
export async function startCopies(
  tx: Tx,
  ctx: Ctx,
  backup: BackupRow,
  targets: { id: string; name: string }[],
  trigger: "click" | "api" | "schedule" | "retry" | "system" | "chain",
): Promise<string> {
  const ids = targets.map(({ id }) => id);
  const { database } = backup;
  await tx.copy.updateMany({
    where: { backupId: backup.id, destinationId: { in: ids } },
    data: { retryAt: null, retries: trigger === "retry" ? { increment: 1 } : 0 },
  });
  const operationId = await startOperation(tx, ctx, copyBackupOperation, {
    payload: { backupId: backup.id, destinationIds: ids },
    title: `Copy a backup of ${database.name} to ${targets.map(({ name }) => name).join(", ")}`,
    pool: database.pool,
    trigger,
    databaseId: backup.databaseId,
    backupId: backup.id,
  });
  await emitAudit(tx, ctx, {
    action: "backup.copy",
    object: { kind: "backup", id: backup.id, name: database.name },
    after: { operationId, destinations: targets.map(({ name }) => name) },
  });
  await emitEvent(tx, "backups", backup.id);
  await emitEvent(tx, "overview");
  return operationId;
}

/** The queued or running making of copies of a backup. */
export async function runningCopies(
  db: Pick<Tx, "operation">,
  backupId: string,
): Promise<{ id: string; state: string } | null> {
  return await db.operation.findFirst({
    where: {
      backupId,
      kind: copyBackupOperation.kind,
      state: { in: ["queued", "running", "cancelling"] },
    },
    orderBy: { createdAt: "desc" },
    select: { id: true, state: true },
  });
}

async function targetsOf(
  tx: Tx,
  backup: BackupRow,
  destination: string | undefined,
): Promise<{ id: string; name: string }[]> {
  if (backup.state !== "complete" && backup.state !== "partial") {
    throw new HoldfastError("refused", `This backup is ${backup.state}; there is nothing to copy.`, {
      remedy: "Choose a backup that was finished.",
    });
  }
  const targets =
    destination === undefined
      ? backup.copies
          .filter((copy) => LACKING.includes(copy.state) && copy.destination.archivedAt === null)
          .map((copy) => copy.destination)
      : [await targetOf(tx, backup, destination)];
  if (targets.length === 0) {
    throw new HoldfastError("refused", "No copy of this backup is known to be missing or altered.", {
      remedy: "Name a destination that has no copy of it yet, or prove the backup again.",
    });
  }
  const good = (copy: BackupRow["copies"][number]) =>
    ["stored", "unreachable"].includes(copy.state) && !targets.some(({ id }) => id === copy.destinationId);
  if (!readableCopies(backup.copies).some(good)) {
    throw new HoldfastError("refused", "There is no good copy of this backup to copy from.", {
      remedy: "Run a new backup.",
    });
  }
  return targets;
}

async function targetOf(tx: Tx, backup: BackupRow, nameOrId: string): Promise<{ id: string; name: string }> {
  const destination = await findDestination(tx, nameOrId);
  const { id, name } = destination;
  if (destination.archivedAt) {
    throw new HoldfastError("refused", `${name} is archived.`, {
      remedy: "Choose a destination that is in use.",
    });
  }
  const copy = backup.copies.find((one) => one.destinationId === id);
  if (copy?.state === "stored") {
    throw new HoldfastError("conflict", `The copy at ${name} is stored already.`, {
      remedy: "If you doubt it, prove it: what is found altered or missing can be made again.",
    });
  }
  if (copy && !LACKING.includes(copy.state)) {
    throw new HoldfastError("refused", `Whether the copy at ${name} is still there is not known.`, {
      remedy: "Prove this backup again once the destination is back.",
    });
  }
  return { id, name };
}
