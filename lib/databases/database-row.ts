import type { CopyCounts, Recoverable, RecoverableFacts } from "./recoverable.ts";
import { recoverable } from "./recoverable.ts";
import type { DatabaseItem } from "./schema.ts";
import { threeTwoOne } from "./three-two-one.ts";

/** One database with the facts of its promise, as select-databases.ts reads it. */
export interface DatabaseRow {
  id: string;
  name: string;
  engine: DatabaseItem["engine"];
  application: string;
  environment: string;
  protected: boolean;
  pool: string;
  tags: string[];
  owner: string | null;
  serverVersion: string | null;
  sizeBytes: bigint | null;
  archivedAt: Date | null;
  createdAt: Date;
  probedAt: Date | null;
  probeError: string | null;
  goodId: string | null;
  goodAt: Date | null;
  goodFinishedAt: Date | null;
  provenId: string | null;
  provenDataAt: Date | null;
  provenAt: Date | null;
  provenByCount: boolean | null;
  provenRestoreSeconds: number | null;
  provenCopies: CopyCounts | null;
  provenOffHost: boolean | null;
  /** Kinds of destination that hold a stored copy. */
  provenKinds: number | null;
  failedProofId: string | null;
  failedProofAt: Date | null;
  failedProofReason: string | null;
  unverifiableId: string | null;
  unverifiableAt: Date | null;
  unverifiableReason: string | null;
  failedBackupId: string | null;
  failedBackupAt: Date | null;
  failedBackupReason: string | null;
  runningId: string | null;
  runningKind: string | null;
  runningState: string | null;
}

export interface Assessed {
  item: DatabaseItem;
  row: DatabaseRow;
  /** Counts as restorable in the Overview's finding. */
  restorable: boolean;
  /** What has to be said against a restorable one that is its own. */
  caveat: Recoverable["caveat"];
}

const NO_COPIES: CopyCounts = { stored: 0, missing: 0, altered: 0, unreachable: 0, failed: 0 };

/** A row with its promise. `kitConfirmed`: the recovery kit is confirmed, or nothing is encrypted. */
export function assess(row: DatabaseRow, now: Date, kitConfirmed: boolean): Assessed {
  const { promise, restorable, caveat } = recoverable(factsOf(row, now, kitConfirmed));
  const item: DatabaseItem = {
    id: row.id,
    name: row.name,
    engine: row.engine,
    application: row.application,
    environment: row.environment,
    protected: row.protected,
    pool: row.pool,
    tags: row.tags,
    owner: row.owner,
    serverVersion: row.serverVersion,
    sizeBytes: row.sizeBytes === null ? null : Number(row.sizeBytes),
    archivedAt: row.archivedAt?.toISOString() ?? null,
    recoverable: promise,
    copies: row.provenId
      ? threeTwoOne({
          stored: row.provenCopies?.stored ?? 0,
          kinds: row.provenKinds ?? 0,
          offHost: row.provenOffHost ?? false,
        })
      : null,
    lastBackupAt: (row.goodFinishedAt ?? row.goodAt)?.toISOString() ?? null,
    lastProvenAt: (row.provenAt ?? row.provenDataAt)?.toISOString() ?? null,
  };
  return { item, row, restorable, caveat };
}

function factsOf(row: DatabaseRow, now: Date, kitConfirmed: boolean): RecoverableFacts {
  return {
    now,
    registeredAt: row.createdAt,
    lastGood: row.goodId && row.goodAt ? { id: row.goodId, at: row.goodAt } : null,
    lastProven: provenOf(row),
    lastFailedProof: withReason(row.failedProofId, row.failedProofAt, row.failedProofReason),
    lastUnverifiable: withReason(row.unverifiableId, row.unverifiableAt, row.unverifiableReason),
    lastFailedBackup: withReason(row.failedBackupId, row.failedBackupAt, row.failedBackupReason),
    running: row.runningId
      ? {
          operationId: row.runningId,
          doing: row.runningKind === "backup.verify" ? "proof" : "backup",
          queued: row.runningState === "queued",
        }
      : null,
    kitConfirmed,
  };
}

function provenOf(row: DatabaseRow): RecoverableFacts["lastProven"] {
  if (!row.provenId || !row.provenDataAt) return null;
  return {
    id: row.provenId,
    at: row.provenDataAt,
    provenAt: row.provenAt ?? row.provenDataAt,
    byCount: row.provenByCount ?? false,
    restoreSeconds: row.provenRestoreSeconds,
    copies: row.provenCopies ?? NO_COPIES,
    offHost: row.provenOffHost ?? false,
  };
}

function withReason(id: string | null, at: Date | null, reason: string | null) {
  return id && at ? { id, at, reason } : null;
}
