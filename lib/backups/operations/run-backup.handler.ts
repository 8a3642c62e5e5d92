import { createHash } from "node:crypto";
import { emitAudit } from "../../audit/emit.ts";
import type { Ctx } from "../../context.ts";
import { identifyServer } from "../../databases/identify-server.ts";
import { loadAccess } from "../../databases/load-access.ts";
import type { Tx } from "../../db/client.ts";
import { destinationSpec } from "../../destinations/destination-spec.ts";
import { prepareDestination } from "../../destinations/prepare-destination.ts";
import { messageOf } from "../../errors.ts";
import { emitEvent } from "../../events/emit.ts";
import { formatBytes } from "../../format.ts";
import type { Ended, OperationHandler, Outcome, Run } from "../../operations/handler.ts";
import { startOperation } from "../../operations/start-operation.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { runTransfer } from "../../transfer/run-transfer.ts";
import type { DumpResult } from "../../transfer/schema.ts";
import { nextRetry } from "../copy-retries.ts";
import { type Manifest, manifestSchema } from "../manifest.ts";
import { keepFolder, noteFolder, openFolder, removeFolders } from "../storage-clean-up.ts";
import { endSessions } from "./end-sessions.ts";
import { runBackupOperation } from "./run-backup.ts";
import { verifyBackupOperation } from "./verify-backup.ts";
import { hiddenFolders, ownVersion, workerSettings } from "./worker-settings.ts";

type Payload = { backupId: string; verify: boolean };

/** Dumps a database to its destinations and writes what came of it. */
export const runBackupHandler: OperationHandler<typeof runBackupOperation.payload> = {
  definition: runBackupOperation,
  identify: identifyServer,
  run: runBackup,
  onEnd,
  cleanUp,
};

async function loadBackup(ctx: Ctx, id: string) {
  return await ctx.db.backup.findUniqueOrThrow({
    where: { id },
    include: {
      database: { include: { environment: true } },
      copies: { include: { destination: true }, orderBy: { createdAt: "asc" } },
    },
  });
}
type LoadedBackup = Awaited<ReturnType<typeof loadBackup>>;

async function runBackup(run: Run<Payload>): Promise<Outcome> {
  const { ctx, payload } = run;
  const env = workerSettings();
  const keyring = await processKeyring();
  const backup = await loadBackup(ctx, payload.backupId);
  const { database } = backup;
  const install = await ctx.db.install.findFirstOrThrow();
  const path = await run.save((tx) => saveStart(tx, run, backup));
  const access = await loadAccess(ctx, keyring, database.id);
  for (const { destination } of backup.copies) {
    await prepareDestination(ctx, keyring, destination.id, run.save);
  }
  const head = await ctx.db.auditLink.findFirst({ orderBy: { seq: "desc" } });
  try {
    const result = await runTransfer(run, {
      task: "dump",
      engine: database.engine,
      access,
      serverIdentity: run.serverIdentity,
      hidden: hiddenFolders(
        env,
        backup.copies.map((copy) => copy.destination),
      ),
      destinations: backup.copies.map((copy) => destinationSpec(copy.destination, keyring)),
      path,
      recipients: await recipientsFor(ctx, keyring, env.HOLDFAST_ENCRYPTION),
      compressionLevel: env.HOLDFAST_COMPRESSION_LEVEL,
      detachAfterMs: env.HOLDFAST_DETACH_SECONDS * 1000,
      lockWaitMs: env.HOLDFAST_LOCK_WAIT_SECONDS * 1000,
      digestBudgetMs: env.HOLDFAST_DIGEST_SECONDS * 1000,
      manifest: {
        backupId: backup.id,
        installId: install.id,
        holdfastVersion: ownVersion(),
        database: {
          name: database.name,
          application: database.application,
          environment: database.environment.name,
        },
        auditHead: head ? { seq: head.seq.toString(), hash: head.hash } : null,
      },
    });
    return outcomeOf(run, backup, path, result);
  } catch (error) {
    // The transfer cleans up after itself; when its process was killed it could not. No other attempt writes there.
    await removeFolders(ctx, run).catch((left: unknown) =>
      run.log(`Parts of the backup are removed later: ${messageOf(left)}`, "warn"),
    );
    throw error;
  }
}

/** The backup is being made, from its beginning, in a folder of this attempt's own, which is returned. */
async function saveStart(tx: Tx, run: Run<Payload>, backup: LoadedBackup): Promise<string> {
  const { id, copies } = backup;
  const now = run.ctx.clock.now();
  const destinationIds = copies.map(({ destinationId }) => destinationId);
  const first = run.attempt === 1;
  if (first) await noteFolder(tx, run, backup.path, destinationIds);
  const path = first ? backup.path : await openFolder(tx, run, backup, destinationIds, now);
  await tx.backup.update({
    where: { id },
    data: { state: "running", reason: null, path, startedAt: now, finishedAt: null },
  });
  await tx.copy.updateMany({ where: { backupId: id }, data: { state: "writing", reason: null, path } });
  await emitEvent(tx, "backups", id);
  await emitEvent(tx, "overview");
  return path;
}

async function recipientsFor(ctx: Ctx, keyring: Keyring, encryption: "on" | "off"): Promise<string[]> {
  if (encryption === "off") return [];
  const { server, recovery } = await keyring.recipients(ctx.db);
  return [server, ...recovery];
}

function outcomeOf(run: Run<Payload>, backup: LoadedBackup, path: string, result: DumpResult): Outcome {
  const manifest = manifestSchema.parse(JSON.parse(result.manifestText));
  const sizeBytes = manifest.artefacts.reduce((sum, artefact) => sum + artefact.bytes, 0);
  const stored = result.copies.filter((copy) => copy.state === "stored").length;
  const complete = stored === result.copies.length;
  const places = complete
    ? ""
    : `; ${result.copies.length - stored} of ${result.copies.length} destinations failed`;
  const reason = `${formatBytes(sizeBytes)} stored, ${manifest.fingerprint.tables.length} tables${places}`;
  return {
    reason,
    result: { backupId: backup.id, state: complete ? "complete" : "partial", sizeBytes },
    commit: (tx) => saveBackup(tx, run, backup, { result, manifest, path, sizeBytes, complete, reason }),
  };
}

interface Saved {
  result: DumpResult;
  manifest: Manifest;
  path: string;
  sizeBytes: number;
  complete: boolean;
  reason: string;
}

async function saveBackup(tx: Tx, run: Run<Payload>, backup: LoadedBackup, saved: Saved): Promise<void> {
  const { ctx } = run;
  const { result, manifest, path, sizeBytes, complete, reason } = saved;
  const now = ctx.clock.now();
  const state = complete ? "complete" : "partial";
  await tx.backup.update({
    where: { id: backup.id },
    data: {
      state,
      reason: complete ? null : failedPlaces(backup, result),
      engineVersion: manifest.database.serverVersion,
      toolVersion: Object.entries(manifest.tools)
        .map(([tool, version]) => `${tool} ${version}`)
        .join(", "),
      sizeBytes: BigInt(sizeBytes),
      plainBytes: BigInt(manifest.artefacts.reduce((sum, artefact) => sum + artefact.plainBytes, 0)),
      tableCount: manifest.fingerprint.tables.length,
      rowCount: BigInt(manifest.fingerprint.tables.reduce((sum, table) => sum + (table.rows ?? 0), 0)),
      dumpSeconds: result.dumpSeconds,
      finishedAt: now,
    },
  });
  for (const copy of result.copies) {
    await tx.copy.updateMany({
      where: { backupId: backup.id, destinationId: copy.destinationId },
      data: {
        state: copy.state,
        reason: copy.reason,
        sizeBytes: copy.state === "stored" ? BigInt(copy.bytes) : null,
        checkedAt: now,
        retryAt: copy.state === "stored" ? null : nextRetry(0, now),
      },
    });
    if (copy.state === "stored") await keepFolder(tx, copy.destinationId, path);
  }
  const text = result.manifestText;
  const sha256 = createHash("sha256").update(text).digest("hex");
  await tx.backupManifest.create({ data: { backupId: backup.id, text, sha256 } });
  await tx.database.update({
    where: { id: backup.databaseId },
    data: {
      serverIdentity: manifest.database.serverIdentity,
      serverVersion: manifest.database.serverVersion,
      sizeBytes: manifest.database.sizeBytes === null ? null : BigInt(manifest.database.sizeBytes),
      probedAt: now,
      probeError: null,
    },
  });
  await emitAudit(tx, ctx, {
    action: "backup.finish",
    object: { kind: "backup", id: backup.id, name: backup.database.name },
    after: { state, sizeBytes, manifestSha256: sha256, reason },
  });
  if (run.payload.verify) await startProof(tx, run, backup);
  await emitEvent(tx, "backups", backup.id);
  await emitEvent(tx, "databases", backup.databaseId);
  await emitEvent(tx, "overview");
}

function failedPlaces(backup: LoadedBackup, result: DumpResult): string {
  const nameOf = (id: string) => backup.copies.find((copy) => copy.destinationId === id)?.destination.name;
  return result.copies
    .filter((copy) => copy.state === "failed")
    .map((copy) => `${nameOf(copy.destinationId)}: ${copy.reason}`)
    .join(" ");
}

async function startProof(tx: Tx, run: Run<Payload>, backup: LoadedBackup): Promise<void> {
  await startOperation(tx, run.ctx, verifyBackupOperation, {
    payload: { backupId: backup.id },
    title: `Prove ${backup.database.name}`,
    pool: backup.database.pool,
    trigger: "chain",
    databaseId: backup.databaseId,
    backupId: backup.id,
    parent: { rootId: run.rootId },
  });
}

async function onEnd(tx: Tx, ended: Ended): Promise<void> {
  if (!ended.backupId) return;
  const again = ended.retry ? "; it is tried again" : "";
  const { count } = await tx.backup.updateMany({
    where: { id: ended.backupId, state: "running" },
    data: ended.retry
      ? { reason: `${ended.reason}${again}` }
      : { state: ended.state, reason: ended.reason, finishedAt: new Date() },
  });
  if (count === 0) return;
  if (!ended.retry) {
    await tx.copy.updateMany({
      where: { backupId: ended.backupId, state: "writing" },
      data: { state: "failed", reason: ended.reason },
    });
  }
  await emitEvent(tx, "backups", ended.backupId);
  await emitEvent(tx, "overview");
}

async function cleanUp(ctx: Ctx, ended: Ended): Promise<void> {
  if (!ended.backupId || !ended.databaseId) return;
  await removeFolders(ctx, ended);
  await endSessions(ctx, await processKeyring(), ended.databaseId, ended);
}
