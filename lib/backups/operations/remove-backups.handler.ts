import { emitAudit } from "../../audit/emit.ts";
import type { Tx } from "../../db/client.ts";
import type { Prisma } from "../../db/generated/client.ts";
import { emitEvent } from "../../events/emit.ts";
import { formatBytes, plural } from "../../format.ts";
import type { Ended, OperationHandler, Outcome, Run } from "../../operations/handler.ts";
import { nextRemoval } from "../removal-retries.ts";
import { removeInChild } from "../remove-in-child.ts";
import { removeBackupsOperation } from "./remove-backups.ts";

type Payload = { backupIds: string[] };

/** Longest wait for one destination, and what each folder there adds to it. */
const LIMIT_MS = 30_000;
const LIMIT_PER_FOLDER_MS = 5_000;

/** Deletes the objects of backups at every destination, and tells which could not be. */
export const removeBackupsHandler: OperationHandler<typeof removeBackupsOperation.payload> = {
  definition: removeBackupsOperation,
  run: removeBackups,
  onEnd,
};

const include = {
  database: { select: { name: true } },
  copies: { where: { state: "removing" }, include: { destination: { select: { name: true } } } },
} as const satisfies Prisma.BackupInclude;
type Marked = Prisma.BackupGetPayload<{ include: typeof include }>;
type Errors = ReadonlyMap<string, string | null>;

async function removeBackups(run: Run<Payload>): Promise<Outcome> {
  const { ctx, payload } = run;
  const backups = await ctx.db.backup.findMany({
    where: { id: { in: payload.backupIds }, removingAt: { not: null }, removedAt: null },
    include,
    orderBy: { createdAt: "asc" },
  });
  const folders = backups.flatMap(({ copies }) =>
    copies.map(({ id, destinationId, path }) => ({ id, destinationId, path })),
  );
  const limitMs = LIMIT_MS + folders.length * LIMIT_PER_FOLDER_MS;
  const errors: Errors =
    folders.length === 0 ? new Map() : await removeInChild(ctx, folders, limitMs, run.signal);
  run.signal.throwIfAborted();
  const left = backups.flatMap((backup) => backup.copies.filter(({ id }) => errorOf(errors, id) !== null));
  for (const { id, destination, path } of left) {
    run.log(`${destination.name} keeps ${path}: ${errorOf(errors, id)}`, "warn");
  }
  const gone = backups.filter(({ copies }) => copies.every(({ id }) => errorOf(errors, id) === null));
  const bytes = gone.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes ?? 0n), 0);
  const deleted = `${plural(gone.length, "backup")} deleted, ${formatBytes(bytes)} each copy`;
  return {
    state: left.length === 0 ? "succeeded" : "failed",
    reason: left.length === 0 ? deleted : `${deleted}. ${leftReason(left, errors)}`,
    result: {
      deleted: gone.map(({ id }) => id),
      left: left.map(({ id, backupId, destination }) => ({
        backupId,
        destination: destination.name,
        reason: errorOf(errors, id),
      })),
    },
    commit: (tx) => saveRemoved(tx, run, backups, errors),
  };
}

/** Why a copy is still there; null when it is gone. */
function errorOf(errors: Errors, copyId: string): string | null {
  return errors.has(copyId) ? (errors.get(copyId) ?? null) : "The destination is not known any more.";
}

function leftReason(left: Marked["copies"], errors: Errors): string {
  const byPlace = Map.groupBy(left, ({ destination }) => destination.name);
  return [...byPlace]
    .map(([name, copies]) => {
      const why = errorOf(errors, copies[0]?.id ?? "");
      return `${name} keeps ${copies.length === 1 ? "one" : copies.length}: ${why}`;
    })
    .join(" ");
}

async function saveRemoved(
  tx: Tx,
  run: Run<Payload>,
  backups: readonly Marked[],
  errors: Errors,
): Promise<void> {
  const now = run.ctx.clock.now();
  for (const backup of backups) {
    for (const { id } of backup.copies) {
      const error = errorOf(errors, id);
      await tx.copy.update({
        where: { id },
        data:
          error === null
            ? { state: "removed", reason: null, checkedAt: now, sizeBytes: null }
            : { reason: error, checkedAt: now },
      });
    }
    const left = backup.copies.filter(({ id }) => errorOf(errors, id) !== null);
    const gone = left.length === 0;
    await tx.backup.update({
      where: { id: backup.id },
      data: gone
        ? { removedAt: now, removalRetryAt: null }
        : { removalTries: { increment: 1 }, removalRetryAt: nextRemoval(backup.removalTries, now) },
    });
    await emitAudit(tx, run.ctx, {
      action: gone ? "backup.deleted" : "backup.kept",
      object: { kind: "backup", id: backup.id, name: backup.database.name },
      after: {
        operationId: run.operationId,
        ...(gone
          ? {}
          : { left: left.map(({ id, destination }) => `${destination.name}: ${errorOf(errors, id)}`) }),
      },
    });
    await emitEvent(tx, "backups", backup.id);
  }
  if (run.databaseId) await emitEvent(tx, "databases", run.databaseId);
  await emitEvent(tx, "settings");
  await emitEvent(tx, "overview");
}

/** What was begun is ended later, also when somebody cancels it: half of a backup is none. */
async function onEnd(tx: Tx, ended: Ended): Promise<void> {
  const payload = removeBackupsOperation.payload.safeParse(ended.payload);
  if (!payload.success || ended.retry) return;
  const marked = await tx.backup.findMany({
    where: { id: { in: payload.data.backupIds }, removingAt: { not: null }, removedAt: null },
    select: { id: true, removalTries: true },
  });
  for (const { id, removalTries } of marked) {
    await tx.backup.update({
      where: { id },
      data: { removalTries: { increment: 1 }, removalRetryAt: nextRemoval(removalTries, new Date()) },
    });
    await emitEvent(tx, "backups", id);
  }
}
