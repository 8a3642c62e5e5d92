import type { Ctx } from "../context.ts";
import { proofSchema } from "../proof/schema.ts";
import { type BackupRow, backupItem } from "./backup-item.ts";
import { runningCopies } from "./copy-backup.ts";
import { speaksFor } from "./current-proof.ts";
import { findBackup } from "./find-backup.ts";
import { type Manifest, manifestSchema } from "./manifest.ts";
import { verifyBackupOperation } from "./operations/verify-backup.ts";
import { proofDto, proofInclude } from "./proof-dto.ts";
import type { BackupDto } from "./schema.ts";

/** Proofs that a backup's page lists. */
const PROOFS = 50;

const proofSummary = proofSchema.omit({ tables: true, checks: true });

/** One backup, whole: copies, proof with its first 500 tables, artefacts, and how to restore it by hand. */
export async function getBackup(ctx: Ctx, id: string): Promise<BackupDto> {
  const row = await findBackup(ctx, ctx.db, id, "read");
  const [judged, stored, verification, copying, lastProven] = await Promise.all([
    ctx.db.proof.findMany({
      where: { backupId: row.id },
      orderBy: [{ finishedAt: "desc" }, { id: "desc" }],
      select: { id: true, copyId: true, level: true, verdict: true, finishedAt: true },
    }),
    ctx.db.backupManifest.findUnique({ where: { backupId: row.id } }),
    ctx.db.operation.findFirst({
      where: {
        backupId: row.id,
        kind: verifyBackupOperation.kind,
        state: { in: ["queued", "running", "cancelling"] },
      },
      orderBy: { createdAt: "desc" },
      select: { id: true, state: true },
    }),
    runningCopies(ctx.db, row.id),
    lastProvenOf(ctx, row),
  ]);
  const current = speaksFor(judged);
  const ids = new Set(judged.slice(0, PROOFS).map((proof) => proof.id));
  if (current) ids.add(current.id);
  const rows = await ctx.db.proof.findMany({
    where: { id: { in: [...ids] } },
    include: proofInclude,
    orderBy: [{ finishedAt: "desc" }, { id: "desc" }],
  });
  const proofs = rows.map(proofDto);
  const manifest = stored ? manifestSchema.parse(JSON.parse(stored.text)) : null;
  return {
    ...backupItem(row),
    engineVersion: row.engineVersion,
    toolVersion: row.toolVersion,
    proof: proofs.find((proof) => proof.id === current?.id) ?? null,
    verification: verification ? { operationId: verification.id, state: verification.state } : null,
    copying: copying ? { operationId: copying.id, state: copying.state } : null,
    proofs: proofs.map((proof) => proofSummary.parse(proof)),
    artefacts: artefactsOf(manifest),
    restoreCommands: manifest?.restore ?? [],
    lastProvenBackup: lastProven
      ? { id: lastProven.id, createdAt: lastProven.createdAt.toISOString() }
      : null,
  };
}

/** The newest proven backup of the same database: what to fall back on. */
async function lastProvenOf(ctx: Ctx, row: BackupRow) {
  return await ctx.db.backup.findFirst({
    where: { databaseId: row.databaseId, proofVerdict: "proven", removingAt: null },
    orderBy: { createdAt: "desc" },
    select: { id: true, createdAt: true },
  });
}

function artefactsOf(manifest: Manifest | null): BackupDto["artefacts"] {
  return (manifest?.artefacts ?? []).map(({ name, file, bytes, plainBytes, sha256, encryption }) => ({
    name,
    file,
    bytes,
    plainBytes,
    sha256,
    encrypted: encryption !== null,
  }));
}
