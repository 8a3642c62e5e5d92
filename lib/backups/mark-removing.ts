import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";
import { plural } from "../format.ts";
import type { StartInput } from "../operations/start-operation.ts";
import { startOperation } from "../operations/start-operation.ts";
import { removeBackupsOperation } from "./operations/remove-backups.ts";

type Trigger = StartInput<typeof removeBackupsOperation.payload>["trigger"];
type Place = { id: string; name: string; pool: string };

interface Removal {
  database: Place;
  backupIds: readonly string[];
  /** Why, as a sentence. */
  reason: string;
  trigger: Trigger;
  now: Date;
}

/**
 * Decides that these backups of one database go, and queues the deletion of their objects: from now on none of them
 * is restored, proven or counted. Pinned ones, and those that an operation is about, stay. Returns the operation's
 * id, or null when all of them stay. The caller has locked the database's row.
 */
export async function markRemoving(
  tx: Tx,
  ctx: Ctx,
  { database, backupIds, reason, trigger, now }: Removal,
): Promise<string | null> {
  const locked = await tx.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM backup
     WHERE id = ANY(${[...backupIds]}::uuid[]) AND database_id = ${database.id}::uuid
       AND state IN ('complete', 'partial') AND pinned_at IS NULL AND removing_at IS NULL
     ORDER BY created_at, id FOR UPDATE`;
  // A statement of its own: it sees what those have written that held the locks.
  const busy = await busyBackups(
    tx,
    locked.map(({ id }) => id),
  );
  const ids = locked.map(({ id }) => id).filter((id) => !busy.has(id));
  if (ids.length === 0) return null;
  await tx.backup.updateMany({
    where: { id: { in: ids } },
    data: { removingAt: now, removalReason: reason },
  });
  await tx.copy.updateMany({
    where: { backupId: { in: ids }, state: { not: "failed" } },
    data: { state: "removing", reason: null, retryAt: null },
  });
  await tx.copy.updateMany({
    where: { backupId: { in: ids }, state: "failed" },
    data: { state: "removed", retryAt: null },
  });
  const operationId = await startRemoval(tx, ctx, database, ids, trigger);
  for (const id of ids) {
    await emitAudit(tx, ctx, {
      action: "backup.delete",
      object: { kind: "backup", id, name: database.name },
      after: { operationId, reason },
    });
    await emitEvent(tx, "backups", id);
  }
  await emitEvent(tx, "databases", database.id);
  await emitEvent(tx, "overview");
  return operationId;
}

/** Queues the deletion of the objects of backups that are marked. */
export async function startRemoval(
  tx: Tx,
  ctx: Ctx,
  { id, name, pool }: Place,
  backupIds: string[],
  trigger: Trigger,
): Promise<string> {
  const [only] = backupIds;
  return await startOperation(tx, ctx, removeBackupsOperation, {
    payload: { backupIds },
    title: `Delete ${plural(backupIds.length, "backup")} of ${name}`.replaceAll("\u00a0", " "),
    pool,
    trigger,
    databaseId: id,
    backupId: backupIds.length === 1 ? (only ?? null) : null,
  });
}

/** Those of the backups that an operation is about which has not ended. */
export async function busyBackups(
  tx: Pick<Tx, "operation">,
  backupIds: readonly string[],
): Promise<Set<string>> {
  const rows = await tx.operation.findMany({
    where: { backupId: { in: [...backupIds] }, state: { in: ["queued", "running", "cancelling"] } },
    select: { backupId: true },
  });
  return new Set(rows.flatMap(({ backupId }) => backupId ?? []));
}
