import type { Prisma } from "../db/generated/client.ts";
import type { BackupItem } from "./schema.ts";

/** What a list row needs beside the backup itself. */
export const backupInclude = {
  database: { include: { environment: true } },
  // Ids are ordered by time, and differ where several were made at once.
  copies: { include: { destination: true }, orderBy: { id: "asc" } },
  policy: { select: { name: true } },
} as const satisfies Prisma.BackupInclude;

export type BackupRow = Prisma.BackupGetPayload<{ include: typeof backupInclude }>;

/** A backup as lists show it. */
export function backupItem(row: BackupRow): BackupItem {
  return {
    id: row.id,
    state: row.state,
    reason: row.reason,
    database: row.database.name,
    databaseId: row.databaseId,
    engine: row.database.engine,
    environment: row.database.environment.name,
    trigger: row.trigger,
    policy: row.policy?.name ?? null,
    operationId: row.operationId,
    sizeBytes: numberOf(row.sizeBytes),
    plainBytes: numberOf(row.plainBytes),
    tableCount: row.tableCount,
    rowCount: numberOf(row.rowCount),
    dumpSeconds: row.dumpSeconds,
    createdAt: row.createdAt.toISOString(),
    startedAt: timeOf(row.startedAt),
    finishedAt: timeOf(row.finishedAt),
    copies: row.copies.map((copy) => ({
      id: copy.id,
      destination: copy.destination.name,
      archived: copy.destination.archivedAt !== null,
      state: copy.state,
      path: copy.path,
      sizeBytes: numberOf(copy.sizeBytes),
      checkedAt: timeOf(copy.checkedAt),
      reason: copy.reason,
      retryAt: timeOf(copy.retryAt),
    })),
    pin: row.pinnedAt
      ? { at: row.pinnedAt.toISOString(), by: row.pinnedBy ?? "", reason: row.pinReason ?? "" }
      : null,
    removal: row.removingAt
      ? {
          at: row.removingAt.toISOString(),
          reason: row.removalReason ?? "",
          removedAt: timeOf(row.removedAt),
          retryAt: timeOf(row.removalRetryAt),
        }
      : null,
    proof: row.proofVerdict
      ? {
          level: row.proofLevel,
          verdict: row.proofVerdict,
          byCount: row.proofByCount,
          reason: row.proofReason ?? "",
          provenAt: timeOf(row.provenAt),
          restoreSeconds: row.restoreSeconds,
        }
      : null,
  };
}

function numberOf(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}

function timeOf(value: Date | null): string | null {
  return value?.toISOString() ?? null;
}
