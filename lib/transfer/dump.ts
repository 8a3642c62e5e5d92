import { createHash } from "node:crypto";
import { z } from "zod";
import { throwIfAborted } from "../abort.ts";
import { type Artefact, type Manifest, manifestSchema } from "../backups/manifest.ts";
import type { DumpArtefact, DumpSession, Engine, ServerInfo, WorkContext } from "../engines/engine.ts";
import { engineFor } from "../engines/registry.ts";
import { formatBytes } from "../format.ts";
import type { Fingerprint } from "../proof/schema.ts";
import { storageFor } from "../storage/registry.ts";
import { FanOut } from "./fan-out.ts";
import type { TransferIo } from "./io.ts";
import { rateMeter } from "./rate.ts";
import { restoreText } from "./restore-text.ts";
import { requireSameServer } from "./same-server.ts";
import type { DumpResult, DumpSpec } from "./schema.ts";
import { sessionName } from "./session-name.ts";
import { storeArtefact } from "./store-artefact.ts";

/** Manifest fields that only the worker knows. */
const knownSchema = z.object({
  backupId: z.string(),
  installId: z.string(),
  holdfastVersion: z.string(),
  database: z.object({ name: z.string(), application: z.string(), environment: z.string() }),
  auditHead: z.object({ seq: z.string(), hash: z.string() }).nullable(),
});
export type KnownManifestFields = z.infer<typeof knownSchema>;

/**
 * One backup: opens the snapshot, dumps into every destination at once while the fingerprint is taken in the
 * same snapshot, then publishes: artefacts, RESTORE.md, and the manifest last. On any fault all of it is
 * removed again, everywhere. Throws unless at least one destination holds the whole backup.
 */
export async function runDump(spec: DumpSpec, io: TransferIo): Promise<DumpResult> {
  const engine = engineFor(spec.engine);
  const known = knownSchema.parse(spec.manifest);
  const stop = new AbortController();
  const signal = AbortSignal.any([io.signal, stop.signal]);
  const work = workContext(spec, io, signal);
  const startedAt = new Date();

  io.step("Open snapshot");
  const session = await engine.beginDump(
    spec.access,
    { lockWaitMs: spec.lockWaitMs, digestBudgetMs: spec.digestBudgetMs },
    work,
  );
  let fanOut: FanOut | null = null;
  try {
    const { info } = session;
    if (spec.serverIdentity !== null) requireSameServer(info.identity, spec.serverIdentity);
    io.log(`${engine.label} ${info.version}, database ${info.databaseName}`);
    fanOut = openFanOut(spec, known.installId, io);
    io.step("Dump", `${engine.label} ${info.version}`);
    const { artefacts, fingerprint, dumpSeconds } = await dumpAll(session, spec, fanOut, io, stop, signal);

    io.step("Publish", `${fingerprint.tables.length} tables`);
    throwIfAborted(signal);
    const facts = { known, info, engine, session, artefacts, fingerprint, startedAt, spec };
    const { manifestText, restoreFileText } = writeUp(facts);
    for (const { file } of artefacts) await fanOut.publish(file);
    await fanOut.put("RESTORE.md", restoreFileText);
    throwIfAborted(signal);
    await fanOut.put("manifest.json", manifestText);
    throwIfAborted(signal);
    await fanOut.settled();
    const copies = fanOut.outcomes();
    return { manifestText, copies, dumpSeconds };
  } catch (error) {
    stop.abort(error);
    await fanOut?.abort();
    throw error;
  } finally {
    await session.close();
  }
}

function openFanOut(spec: DumpSpec, installId: string, io: TransferIo): FanOut {
  const targets = spec.destinations.map((one) => ({
    id: one.id,
    name: one.name,
    storage: storageFor({ ...one, installId }),
  }));
  return new FanOut(targets, spec.path, {
    log: (line, level) => io.log(line, level),
    ...(spec.detachAfterMs === undefined ? {} : { detachAfterMs: spec.detachAfterMs }),
  });
}

/** Artefacts one after the other, beside them the fingerprint; the first fault ends the other side. */
async function dumpAll(
  session: DumpSession,
  spec: DumpSpec,
  fanOut: FanOut,
  io: TransferIo,
  stop: AbortController,
  signal: AbortSignal,
): Promise<{ artefacts: Artefact[]; fingerprint: Fingerprint; dumpSeconds: number }> {
  const began = performance.now();
  let dumpSeconds = 0;
  const endOther = (error: unknown): never => {
    stop.abort(error);
    throw error;
  };
  const dumping = async (): Promise<Artefact[]> => {
    const artefacts: Artefact[] = [];
    for (const artefact of session.artefacts) {
      artefacts.push(await storeOne(artefact, session.info, spec, fanOut, io, signal));
    }
    dumpSeconds = (performance.now() - began) / 1000;
    io.step("Fingerprint", formatBytes(artefacts.reduce((sum, one) => sum + one.plainBytes, 0)));
    return artefacts;
  };
  const [dumped, printed] = await Promise.allSettled([
    dumping().catch(endOther),
    session.fingerprint().catch(endOther),
  ]);
  // The first fault is the cause; the other side's error is only its echo.
  if (signal.aborted) throw signal.reason;
  if (dumped.status === "rejected") throw dumped.reason;
  if (printed.status === "rejected") throw printed.reason;
  return { artefacts: dumped.value, fingerprint: printed.value, dumpSeconds };
}

async function storeOne(
  artefact: DumpArtefact,
  info: ServerInfo,
  spec: DumpSpec,
  fanOut: FanOut,
  io: TransferIo,
  signal: AbortSignal,
): Promise<Artefact> {
  const total = artefact.name === "dump" ? info.sizeBytes : null;
  const onBytes = rateMeter({ label: artefact.file, unit: "bytes", total }, io.progress);
  return await storeArtefact(artefact, fanOut, {
    recipients: spec.recipients,
    compressionLevel: spec.compressionLevel,
    signal,
    onBytes,
  });
}

interface Facts {
  known: KnownManifestFields;
  info: ServerInfo;
  engine: Engine;
  session: DumpSession;
  artefacts: Artefact[];
  fingerprint: Fingerprint;
  startedAt: Date;
  spec: DumpSpec;
}

/** The manifest (stable text: fixed key order, two spaces, newline) and RESTORE.md, whose hash it holds. */
function writeUp(facts: Facts): { manifestText: string; restoreFileText: string } {
  const { known, info, engine, session, artefacts, fingerprint, startedAt, spec } = facts;
  const fileOf = (name: Artefact["name"]) =>
    artefacts.find((artefact) => artefact.name === name)?.file ?? null;
  const files = {
    dump: fileOf("dump") ?? "",
    globals: fileOf("globals"),
    encrypted: spec.recipients.length > 0,
  };
  const manifest: Manifest = {
    format: "holdfast-backup/1",
    backupId: known.backupId,
    installId: known.installId,
    holdfastVersion: known.holdfastVersion,
    database: {
      name: known.database.name,
      engine: engine.kind,
      application: known.database.application,
      environment: known.database.environment,
      sourceName: info.databaseName,
      serverVersion: info.version,
      serverIdentity: info.identity,
      sizeBytes: info.sizeBytes,
      encoding: info.encoding,
      collation: info.collation,
    },
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    tools: session.tools,
    recipients: spec.recipients,
    artefacts,
    fingerprint,
    excluded: fingerprint.notCompared,
    auditHead: known.auditHead,
    restore: engine.restoreCommands(files, info),
  };
  const restoreFileText = restoreText(manifest);
  const bytes = Buffer.from(restoreFileText);
  manifest.restoreFile = {
    file: "RESTORE.md",
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
  return { manifestText: `${JSON.stringify(manifestSchema.parse(manifest), null, 2)}\n`, restoreFileText };
}

/** What an engine gets of a transfer's means. */
export function workContext(
  spec: { operationId: string; attempt: number; tempDir: string },
  io: TransferIo,
  signal: AbortSignal,
): WorkContext {
  return {
    signal,
    log: (line, level) => io.log(line, level),
    progress: (progress) => io.progress(progress),
    sign: (sign) => io.sign(sign),
    tempDir: spec.tempDir,
    applicationName: sessionName(spec),
  };
}
