import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { throwIfAborted } from "../abort.ts";
import { type Manifest, manifestSchema } from "../backups/manifest.ts";
import type { Engine, Sandbox, WorkContext } from "../engines/engine.ts";
import { engineFor } from "../engines/registry.ts";
import { HoldfastError, messageOf } from "../errors.ts";
import { type Comparison, compareFingerprints } from "../proof/compare.ts";
import { describeComparison } from "../proof/describe-comparison.ts";
import type { ProofCheck, ProofReport } from "../proof/schema.ts";
import { storageFor } from "../storage/registry.ts";
import { type CopyFault, CopyReader } from "./copy-reader.ts";
import { workContext } from "./dump.ts";
import type { TransferIo } from "./io.ts";
import { rateMeter } from "./rate.ts";
import type { VerifyResult, VerifySpec } from "./schema.ts";
import { isInfrastructure, reasonOf } from "./transfer-fault.ts";

/** Room that a restored database may take beside its source's size: indexes are rebuilt, WAL is written. */
const SANDBOX_SPARE_BYTES = 1024 ** 3;

interface Attempt {
  spec: VerifySpec;
  io: TransferIo;
  engine: Engine;
  manifest: Manifest;
  reader: CopyReader;
  report: ProofReport;
}

/**
 * Proves one copy, level by level: present (all files re-read, sizes and sha256), readable (decrypts,
 * decompresses, parses to the end), restored (into a throwaway server, equal to the fingerprint). The bytes are
 * read once: what the restore reads is hashed on the way. A fault of the copy is "failed"; a fault of the means
 * (no sandbox, no room, destination out of reach, no key) is "unverifiable". Throws only when it was aborted or
 * on a fault of the program itself.
 */
export async function runVerify(spec: VerifySpec, io: TransferIo): Promise<VerifyResult> {
  const manifest = manifestSchema.parse(JSON.parse(spec.manifestText));
  const storage = storageFor({ ...spec.destination, installId: spec.installId });
  const reader = new CopyReader(storage, spec, manifest);
  const stored = manifest.artefacts.reduce((sum, artefact) => sum + artefact.bytes, 0);
  reader.onBytes = rateMeter({ label: "Read the copy", unit: "bytes", total: stored }, io.progress);
  const report: ProofReport = { tables: [], checks: [], tools: {}, sandbox: null, seconds: {} };
  const attempt: Attempt = { spec, io, engine: engineFor(spec.engine), manifest, reader, report };

  io.step("Look at the copy");
  const absent = await timed(report, "present", () => reader.checkPresent());
  if (absent) return badCopy(attempt, absent);
  if (spec.upTo === "present") return await presentOnly(attempt);

  io.step("Start sandbox", `${manifest.artefacts.length} files`);
  let sandbox: Sandbox;
  try {
    sandbox = await timed(report, "sandbox", () => startSandbox(attempt));
  } catch (error) {
    throwIfAborted(io.signal);
    if (!(error instanceof HoldfastError)) throw error;
    return await readOnly(attempt, `It could not be restored here: ${reasonOf(error)}`);
  }
  try {
    return await restoreAndCompare(attempt, sandbox);
  } finally {
    await sandbox.stop().catch((error: unknown) => {
      io.log(`The sandbox's files could not be removed: ${messageOf(error)}`, "warn");
    });
  }
}

/** Re-reads all bytes, without opening them. */
async function presentOnly(attempt: Attempt): Promise<VerifyResult> {
  const { io, reader, report, manifest } = attempt;
  io.step("Re-read the copy");
  const fault = await timed(report, "read", () => reader.diagnose());
  throwIfAborted(io.signal);
  if (fault) return badCopy(attempt, fault);
  const files = manifest.artefacts.length + 2;
  return outcome(attempt, "present", "proven", `${files} files re-read; sizes and sha256 are as published.`);
}

async function startSandbox({ spec, io, engine, manifest }: Attempt): Promise<Sandbox> {
  const { database, fingerprint, artefacts } = manifest;
  const plain = artefacts.reduce((sum, artefact) => sum + artefact.plainBytes, 0);
  const size = Math.max(database.sizeBytes ?? 0, 2 * plain);
  return await engine.startSandbox(
    {
      serverVersion: database.serverVersion,
      databaseName: database.sourceName,
      encoding: database.encoding,
      collation: database.collation,
      extensions: fingerprint.extensions,
      diskBudgetBytes: Math.ceil(size * 1.5) + SANDBOX_SPARE_BYTES,
      hidden: spec.hidden,
    },
    workContext(spec, io, io.signal),
  );
}

async function restoreAndCompare(attempt: Attempt, sandbox: Sandbox): Promise<VerifyResult> {
  const { spec, io, engine, manifest, reader, report } = attempt;
  report.sandbox = {
    engine: engine.kind,
    version: sandbox.version,
    isolation: sandbox.isolation,
    detail: sandbox.isolationDetail,
  };
  for (const note of sandbox.notes)
    report.checks.push({ name: "sandbox", state: "not compared", detail: note });
  const signal = AbortSignal.any([io.signal, sandbox.ended]);
  const work = workContext(spec, io, signal);

  io.step("Restore", `${engine.label} ${sandbox.version}`);
  let restored: Awaited<ReturnType<Engine["restore"]>>;
  try {
    const options = await restoreOptions(attempt, sandbox);
    restored = await timed(report, "restore", () =>
      engine.restore(sandbox.access, reader.open, options, work),
    );
  } catch (error) {
    throwIfAborted(io.signal);
    return await restoreFailed(attempt, sandbox.ended.aborted ? sandbox.ended.reason : error);
  }
  Object.assign(report.tools, restored.tools);
  const fault = await timed(report, "read", () => reader.confirm());
  throwIfAborted(io.signal);
  if (fault) return badCopy(attempt, fault);
  report.checks.push({
    name: "files",
    state: "passed",
    detail: `${manifest.artefacts.length + 2} files re-read; sizes and sha256 are those of the manifest`,
  });

  try {
    io.step("Compare", `restored in ${restored.seconds.toFixed(1)} s`);
    const verdict = await compareRestored(attempt, sandbox, work, restored.skipped);
    return { ...verdict, restoreSeconds: restored.seconds };
  } catch (error) {
    throwIfAborted(io.signal);
    const cause = sandbox.ended.aborted ? sandbox.ended.reason : error;
    if (!isInfrastructure(cause)) throw cause;
    const why = `It was restored, but could not be compared: ${reasonOf(cause)}`;
    return { ...outcome(attempt, "readable", "unverifiable", why), restoreSeconds: restored.seconds };
  }
}

async function restoreOptions({ spec, manifest, reader, engine }: Attempt, sandbox: Sandbox) {
  const dump = manifest.artefacts.find((artefact) => artefact.name === "dump");
  // Several jobs need a seekable copy of the dump, which is written before they start: on fewer than four
  // processors the server and the stages of the stream have work enough.
  const wanted = engine.capabilities.parallelRestore && availableParallelism() >= 4 ? 4 : 1;
  const jobs = wanted > 1 && (await hasRoom(spec.tempDir, dump?.plainBytes ?? 0)) ? wanted : 1;
  return {
    jobs,
    spoolDir: jobs > 1 ? spec.tempDir : null,
    owners: sandbox.isolation !== "role" && reader.has("globals"),
  };
}

/** Whether a spool of so many bytes fits into the folder's disk, with a tenth to spare. */
export async function hasRoom(folder: string, bytes: number): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize > bytes * 1.1 + 256 * 1024 ** 2;
}

async function compareRestored(
  attempt: Attempt,
  sandbox: Sandbox,
  work: WorkContext,
  skipped: { object: string; reason: string }[],
): Promise<VerifyResult> {
  const { engine, manifest, report } = attempt;
  const like = manifest.fingerprint;
  const fingerprint = await timed(report, "fingerprint", () =>
    engine.fingerprint(sandbox.access, like, work),
  );
  const comparison = compareFingerprints(like, fingerprint);
  report.tables = comparison.tables;
  report.checks.push(...comparison.checks, ...skipped.map((one) => skippedCheck(one, sandbox)));
  const checks = await timed(report, "index checks", () => engine.checkRestored(sandbox.access, work));
  report.checks.push(...checks);
  const verdict = judge(attempt, comparison);
  return { ...verdict, byCount: comparison.byCount };
}

/**
 * As superuser everything of the database itself is restored or the restore fails; what is left out then are
 * things around it (roles, tablespaces). An ordinary role can't restore everything: that is no verdict.
 */
function skippedCheck({ object, reason }: { object: string; reason: string }, sandbox: Sandbox): ProofCheck {
  const state = sandbox.isolation === "role" ? "unverifiable" : "not compared";
  return { name: `restore ${object}`, state, detail: reason };
}

function judge(attempt: Attempt, comparison: Comparison): VerifyResult {
  const failed = attempt.report.checks.filter((check) => check.state === "failed");
  if (!comparison.equal) {
    const reason = `The restored copy differs from its source: ${describeComparison(comparison)}.`;
    return outcome(attempt, "readable", "failed", reason);
  }
  if (failed.length > 0) {
    return outcome(attempt, "readable", "failed", `The restored copy is not sound: ${named(failed)}.`);
  }
  const unclear = attempt.report.checks.filter((check) => check.state === "unverifiable");
  if (unclear.length > 0) {
    return outcome(
      attempt,
      "readable",
      "unverifiable",
      `Not all of it could be checked here: ${named(unclear)}.`,
    );
  }
  return outcome(attempt, "restored", "proven", `Restored and compared: ${describeComparison(comparison)}.`);
}

function named(checks: ProofCheck[]): string {
  const first = checks.slice(0, 3).map((check) => `${check.name}: ${check.detail}`);
  const more = checks.length - first.length;
  return more > 0 ? `${first.join("; ")}; and ${more} more` : first.join("; ");
}

/** The restore itself broke: because of the copy, of the means, or of what the dump holds? */
async function restoreFailed(attempt: Attempt, error: unknown): Promise<VerifyResult> {
  const { io, reader } = attempt;
  io.log(`The restore ended: ${reasonOf(error)}`, "error");
  const fault = await reader.diagnose();
  throwIfAborted(io.signal);
  if (fault) return badCopy(attempt, fault);
  if (isInfrastructure(error))
    return await readOnly(attempt, `It could not be restored here: ${reasonOf(error)}`);
  const readable = await readThrough(attempt);
  if (readable) return readable;
  return outcome(attempt, "readable", "failed", `It could not be restored: ${reasonOf(error)}`);
}

/** Without a sandbox: how far can it be read? */
async function readOnly(attempt: Attempt, why: string): Promise<VerifyResult> {
  const { io } = attempt;
  io.log(why, "warn");
  return (await readThrough(attempt)) ?? outcome(attempt, "readable", "unverifiable", why);
}

/** Reads all artefacts to their ends and parses the dump. Null when that went well, else the verdict. */
async function readThrough(attempt: Attempt): Promise<VerifyResult | null> {
  const { spec, io, engine, reader, report } = attempt;
  io.step("Read through");
  try {
    await timed(report, "read", async () => {
      const dump = await reader.open("dump");
      await engine.readThrough(dump, workContext(spec, io, io.signal), spec.hidden);
    });
  } catch (error) {
    throwIfAborted(io.signal);
    const fault = await reader.diagnose();
    if (fault) return badCopy(attempt, fault);
    const verdict = isInfrastructure(error) ? "unverifiable" : "failed";
    return outcome(attempt, "present", verdict, `It could not be read to its end: ${reasonOf(error)}`);
  }
  const fault = await reader.confirm();
  return fault ? badCopy(attempt, fault) : null;
}

function badCopy(attempt: Attempt, fault: CopyFault): VerifyResult {
  const verdict = fault.state === "unreachable" ? "unverifiable" : "failed";
  attempt.report.tables = [];
  return { ...outcome(attempt, null, verdict, fault.reason), copyState: fault.state };
}

function outcome(
  attempt: Attempt,
  level: VerifyResult["level"],
  verdict: VerifyResult["verdict"],
  reason: string,
): VerifyResult {
  const { report } = attempt;
  return {
    level,
    verdict,
    byCount: false,
    reason,
    copyState: "stored",
    restoreSeconds: null,
    isolation: report.sandbox?.isolation ?? null,
    report,
  };
}

/** Runs the work and adds its seconds to the report's phase. */
async function timed<T>(report: ProofReport, phase: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await work();
  } finally {
    const seconds = (performance.now() - began) / 1000;
    report.seconds[phase] = Math.round(((report.seconds[phase] ?? 0) + seconds) * 1000) / 1000;
  }
}
