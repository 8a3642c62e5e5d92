import { emitAudit } from "../../audit/emit.ts";
import type { Tx } from "../../db/client.ts";
import type { Copy, Destination } from "../../db/generated/client.ts";
import { emitEvent } from "../../events/emit.ts";
import { newId } from "../../ids.ts";
import type { Run } from "../../operations/handler.ts";
import { startOperation } from "../../operations/start-operation.ts";
import type { CopyResult } from "../../transfer/schema.ts";
import { nextRetry } from "../copy-retries.ts";
import { repeatCurrentProof } from "../current-proof.ts";
import { keepFolder, noteFolder } from "../storage-clean-up.ts";
import { verifyBackupOperation } from "./verify-backup.ts";

/** The backup that copies are made of. */
interface Copied {
  id: string;
  databaseId: string;
  database: { name: string; pool: string };
}

interface Made {
  source: Copy & { destination: Destination };
  path: string;
  result: CopyResult;
}

/** What was read of a copy is evidence: it is not what was published. Recorded as a proof that failed. */
export async function saveFault(
  tx: Tx,
  run: Run<unknown>,
  { id, path, backupId }: Copy,
  { state, reason }: NonNullable<CopyResult["fault"]>,
): Promise<void> {
  // A copy that could not be reached now may be as good as ever.
  if (state === "unreachable") return;
  const now = run.ctx.clock.now();
  const { count } = await tx.copy.updateMany({
    where: { id, path, state: { in: ["stored", "unreachable"] } },
    data: { state, reason, checkedAt: now },
  });
  if (count === 0) return;
  const report = { tables: [], checks: [], tools: {}, sandbox: null, seconds: {} };
  await tx.proof.create({
    data: {
      id: newId(),
      backupId,
      copyId: id,
      operationId: run.operationId,
      level: null,
      verdict: "failed",
      reason,
      report,
      startedAt: now,
      finishedAt: now,
    },
  });
  await repeatCurrentProof(tx, backupId);
  await tellOfCopies(tx, backupId, run.databaseId);
}

/** The copies that were made, and those that were not, and what the backup is now. */
export async function saveCopies(
  tx: Tx,
  run: Run<unknown>,
  { backup, targets }: { backup: Copied; targets: Destination[] },
  { source, path, result }: Made,
): Promise<void> {
  const now = run.ctx.clock.now();
  await tx.$queryRaw`SELECT 1 FROM backup WHERE id = ${backup.id}::uuid FOR UPDATE`;
  // All of its bytes were read, and they are what was published.
  await tx.copy.updateMany({
    where: { id: source.id, path: source.path, state: "unreachable" },
    data: { state: "stored", reason: null, checkedAt: now },
  });
  for (const { destinationId, state, bytes, reason } of result.copies) {
    if (state === "failed") await scheduleRetry(tx, backup.id, destinationId, reason ?? "", now);
    else await saveStored(tx, run, backup, { destinationId, path, bytes }, now);
  }
  const state = await saveState(tx, backup.id);
  await emitAudit(tx, run.ctx, {
    action: "backup.copied",
    object: { kind: "backup", id: backup.id, name: backup.database.name },
    after: {
      state,
      from: source.destination.name,
      copies: result.copies.map((copy) => ({
        destination: targets.find(({ id }) => id === copy.destinationId)?.name,
        state: copy.state,
        reason: copy.reason,
      })),
    },
  });
  await tellOfCopies(tx, backup.id, backup.databaseId);
}

async function saveStored(
  tx: Tx,
  run: Run<unknown>,
  backup: Copied,
  { destinationId, path, bytes }: { destinationId: string; path: string; bytes: number },
  now: Date,
): Promise<void> {
  const key = { backupId_destinationId: { backupId: backup.id, destinationId } };
  const before = await tx.copy.findUnique({ where: key });
  const data = {
    state: "stored" as const,
    reason: null,
    path,
    sizeBytes: BigInt(bytes),
    checkedAt: now,
    retryAt: null,
    retries: 0,
  };
  await tx.copy.upsert({
    where: key,
    create: { id: newId(), backupId: backup.id, destinationId, createdAt: now, ...data },
    update: data,
  });
  await keepFolder(tx, destinationId, path);
  if (!before) return;
  // What lay there before lacked something, or was altered.
  if (before.path !== path) await noteFolder(tx, run, before.path, [destinationId]);
  await proveAgain(tx, run, backup, before.id);
}

/** A proof that failed was about bytes that are gone: the new ones get one of their own. */
async function proveAgain(tx: Tx, run: Run<unknown>, backup: Copied, copyId: string): Promise<void> {
  const last = await tx.proof.findFirst({
    where: { copyId, verdict: { not: "unverifiable" } },
    orderBy: [{ finishedAt: "desc" }, { id: "desc" }],
    select: { verdict: true },
  });
  if (last?.verdict !== "failed") return;
  await startOperation(tx, run.ctx, verifyBackupOperation, {
    payload: { backupId: backup.id, copyId },
    title: `Prove ${backup.database.name}`,
    pool: backup.database.pool,
    trigger: "chain",
    databaseId: backup.databaseId,
    backupId: backup.id,
    parent: { rootId: run.rootId },
  });
}

/** Complete once all of its copies are stored; otherwise it says what is missing as it is known now. */
async function saveState(tx: Tx, backupId: string): Promise<string> {
  const { state, copies } = await tx.backup.findUniqueOrThrow({
    where: { id: backupId },
    include: { copies: { include: { destination: true }, orderBy: { createdAt: "asc" } } },
  });
  if (state !== "partial") return state;
  const missing = copies.filter((copy) => copy.state !== "stored");
  const reason = missing.map((copy) => `${copy.destination.name}: ${copy.reason ?? copy.state}`).join(" ");
  const now = missing.length === 0 ? "complete" : "partial";
  await tx.backup.update({
    where: { id: backupId },
    data: { state: now, reason: now === "complete" ? null : reason },
  });
  return now;
}

/** A copy that was never there says why, and is tried again later; one that was found bad keeps what was found. */
export async function scheduleRetry(
  tx: Tx,
  backupId: string,
  destinationId: string,
  reason: string,
  now: Date,
): Promise<void> {
  const failed = await tx.copy.findFirst({
    where: { backupId, destinationId, state: "failed" },
    include: { destination: { select: { archivedAt: true } } },
  });
  if (!failed) return;
  const retryAt = failed.destination.archivedAt ? null : nextRetry(failed.retries, now);
  await tx.copy.update({ where: { id: failed.id }, data: { reason, checkedAt: now, retryAt } });
}

/** Browsers look again at whatever shows the backup. */
export async function tellOfCopies(tx: Tx, backupId: string, databaseId: string | null): Promise<void> {
  await emitEvent(tx, "backups", backupId);
  if (databaseId) await emitEvent(tx, "databases", databaseId);
  await emitEvent(tx, "overview");
}
