import { markRemoving } from "../backups/mark-removing.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { rulesFor } from "./retain-rules.ts";
import { type Owned, planDatabase } from "./retention.ts";

/** A backup as a simulation shows it. */
export interface Judged extends Owned {
  sizeBytes: number | null;
}

/** Deleted by one pass at most, the oldest first, so that it ends soon; the next success goes on. */
const MOST_AT_ONCE = 200;

/**
 * Deletes what the policies of a database keep no longer; nothing that is pinned or being used, nor `made`, the
 * backup that it follows on.
 */
export async function retainBackups(
  tx: Tx,
  ctx: Ctx,
  { databaseId, made }: { databaseId: string; made: string },
  now: Date,
): Promise<void> {
  // One decision about a database's backups at a time: each counts on what the others leave.
  await tx.$queryRaw`SELECT 1 FROM database WHERE id = ${databaseId}::uuid FOR NO KEY UPDATE`;
  const database = await tx.database.findUniqueOrThrow({ where: { id: databaseId } });
  const rules = await rulesFor(tx, database);
  if (rules.length === 0) return;
  const plan = planDatabase(rules, await judgedBackups(tx, databaseId), now);
  const remove = plan.remove.filter((id) => id !== made).slice(0, MOST_AT_ONCE);
  if (remove.length === 0) return;
  await markRemoving(tx, ctx, {
    database,
    backupIds: remove,
    reason: "No retention rule keeps it.",
    trigger: "schedule",
    now,
  });
}

/** The backups of a database that hold objects, and are to stay until now. */
export async function judgedBackups(tx: Pick<Tx, "backup">, databaseId: string): Promise<Judged[]> {
  const rows = await tx.backup.findMany({
    where: {
      databaseId,
      state: { in: ["complete", "partial"] },
      removingAt: null,
      copies: { some: { state: { in: ["stored", "unreachable"] } } },
    },
    select: {
      id: true,
      createdAt: true,
      proofVerdict: true,
      pinnedAt: true,
      policyId: true,
      sizeBytes: true,
      copies: { where: { state: "stored" }, select: { id: true }, take: 1 },
    },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
  });
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.createdAt,
    proven: row.proofVerdict === "proven",
    sound: row.proofVerdict !== "failed" && row.copies.length > 0,
    pinned: row.pinnedAt !== null,
    policyId: row.policyId,
    sizeBytes: row.sizeBytes === null ? null : Number(row.sizeBytes),
  }));
}
