import type { z } from "zod";
import { throwIfAborted } from "../abort.ts";
import { type Manifest, manifestSchema } from "../backups/manifest.ts";
import type { Access, Engine, RestoreResult, Swap, WorkContext } from "../engines/engine.ts";
import { listSkipped } from "../engines/list-skipped.ts";
import { engineFor } from "../engines/registry.ts";
import { HoldfastError, messageOf } from "../errors.ts";
import { type Comparison, compareFingerprints } from "../proof/compare.ts";
import { describeComparison } from "../proof/describe-comparison.ts";
import type { ProofReport } from "../proof/schema.ts";
import { storageFor } from "../storage/registry.ts";
import { CopyReader } from "./copy-reader.ts";
import { workContext } from "./dump.ts";
import type { TransferIo } from "./io.ts";
import { rateMeter } from "./rate.ts";
import { temporaryName } from "./restore-names.ts";
import type { RestoreResultMessage, RestoreSpec } from "./schema.ts";
import type { unsettledRestore } from "./unsettled-restore.ts";
import { describeSettled, untouched } from "./unsettled-restore.ts";
import { hasRoom } from "./verify.ts";

interface Attempt {
  spec: RestoreSpec;
  io: TransferIo;
  engine: Engine;
  manifest: Manifest;
  reader: CopyReader;
  work: WorkContext;
}

/**
 * Restores a copy into a database whose name only this operation uses, so that whoever tidies up after it drops
 * nothing else. Finished, it gets its name: "new", a free one, also when it differs, which is said; "over", that
 * of the target, only when its fingerprint equals the manifest's, and the replaced one is dropped last. On any
 * fault, and when cancelled, the half-restored database is dropped and the target is as it was. The swap is written
 * down before it is begun: where this process is killed in it, its worker or the next one settles it. Throws for
 * faults; `equal` false is no fault of the program.
 */
export async function runRestore(spec: RestoreSpec, io: TransferIo): Promise<RestoreResultMessage> {
  const engine = engineFor(spec.engine);
  const manifest = manifestSchema.parse(JSON.parse(spec.manifestText));
  const storage = storageFor({ ...spec.destination, installId: spec.installId });
  const reader = new CopyReader(storage, spec, manifest);
  const stored = manifest.artefacts.reduce((sum, artefact) => sum + artefact.bytes, 0);
  reader.onBytes = rateMeter({ label: "Read the copy", unit: "bytes", total: stored }, io.progress);
  const work = workContext(spec, io, io.signal);
  const attempt: Attempt = { spec, io, engine, manifest, reader, work };

  io.step("Look at the copy");
  const absent = await reader.checkPresent();
  if (absent) throw unusable(absent.reason);

  if (spec.target.kind === "new") await engine.assertFree(spec.on, spec.target.name, work);
  const name = temporaryName(spec.operationId);
  io.step("Create database", `${manifest.artefacts.length} files`);
  const target = await engine.createDatabase(spec.on, name, manifest.database, work);
  let swap: Swap | null = null;
  try {
    const result = await restoreInto(attempt, target);
    if (spec.target.kind === "new") {
      throwIfAborted(io.signal);
      return { ...result, access: await engine.renameDatabase(spec.on, name, spec.target.name, work) };
    }
    if (!result.equal) {
      throw new HoldfastError("refused", result.reason, {
        remedy: "Restore into a new database to look at the difference.",
      });
    }
    const unclear = result.report.checks.find((check) => check.state === "unverifiable");
    if (unclear) {
      throw new HoldfastError("refused", `This backup could not be compared: ${unclear.detail}.`, {
        remedy: "Restore into a new database, and look at it before you use it.",
      });
    }
    const { endSessions } = spec.target;
    swap = await engine.planSwap(spec.on, name, spec.target.name, endSessions, work);
    await io.unsettled({ swap } satisfies z.input<typeof unsettledRestore>);
    const kept = await replace(attempt, swap, endSessions);
    return { ...result, reason: kept ? `${result.reason} ${kept}` : result.reason, access: spec.on };
  } catch (error) {
    if (swap && (await engine.settleSwap(spec.on, swap, tidying(work))).done) throw error;
    await dropHalf(attempt, name);
    throw spec.target.kind === "over" ? untouched(spec.target.name, error) : error;
  }
}

async function restoreInto(attempt: Attempt, target: Access): Promise<RestoreResultMessage> {
  const { io, engine, manifest, reader, work } = attempt;
  io.step("Restore", `database ${target.connection.database ?? target.connection.file}`);
  const chosen = await options(attempt);
  if (engine.capabilities.confirmFirst) {
    const altered = await reader.confirm();
    if (altered) throw unusable(altered.reason);
  }
  const restored = await engine.restore(target, reader.open, chosen, work);
  const skipped = [...restored.skipped];
  if (reader.has("globals") && !chosen.owners) {
    skipped.push({ object: "owners and grants", reason: "this is another server than the dumped one" });
  }
  throwIfAborted(io.signal);
  const fault = await reader.confirm();
  if (fault) throw unusable(fault.reason);

  io.step("Compare", `restored in ${restored.seconds.toFixed(1)} s`);
  const fingerprint = await engine.fingerprint(target, manifest.fingerprint, work);
  const comparison = compareFingerprints(manifest.fingerprint, fingerprint, chosen);
  throwIfAborted(io.signal);
  const report: ProofReport = {
    tables: comparison.tables,
    checks: comparison.checks,
    tools: restored.tools,
    sandbox: null,
    seconds: { restore: restored.seconds },
  };
  return {
    equal: comparison.equal,
    reason: reasonFor(comparison, skipped),
    restoreSeconds: restored.seconds,
    skipped,
    report,
    access: target,
  };
}

async function options({ spec, io, manifest, engine, work, reader }: Attempt) {
  const dump = manifest.artefacts.find((artefact) => artefact.name === "dump");
  const wanted = engine.capabilities.parallelRestore ? spec.jobs : 1;
  const room = wanted > 1 && (await hasRoom(spec.spoolDir, dump?.plainBytes ?? 0));
  if (wanted > 1 && !room) {
    io.log(
      `No room for a spool file in ${spec.spoolDir}: restoring with one job instead of ${wanted}.`,
      "warn",
    );
  }
  // Owners and grants name roles, which only the server that was dumped is sure to have.
  const there = await engine.probe(spec.on, work.signal);
  const owners = there.identity === manifest.database.serverIdentity && reader.has("globals");
  // What takes another's place has to have all that it had.
  const whole = spec.target.kind === "over";
  return { jobs: room ? wanted : 1, spoolDir: room ? spec.spoolDir : null, owners, whole };
}

function reasonFor(comparison: Comparison, skipped: RestoreResult["skipped"]): string {
  const words = describeComparison(comparison);
  const found = comparison.equal
    ? "Restored and compared"
    : "What was restored differs from the backup's fingerprint";
  const left = skipped.length > 0 ? ` Not restored: ${listSkipped(skipped)}.` : "";
  return `${found}: ${words}.${left}`;
}

/** Swaps and drops the replaced database; returns a sentence about that one where it could not be dropped. */
async function replace(attempt: Attempt, swap: Swap, endSessions: boolean): Promise<string | null> {
  const { spec, io, engine, work } = attempt;
  const { to, oldName } = swap;
  throwIfAborted(io.signal);
  io.step("Swap");
  await engine.swapDatabase(spec.on, swap, endSessions, work);
  io.log(
    `${to.name} is the restored database now; the one before is kept as ${oldName} until it is dropped.`,
  );
  io.step("Drop the replaced database", `it was renamed to ${oldName}`);
  try {
    await engine.dropDatabase(spec.on, oldName, work);
    return null;
  } catch (error) {
    // The restore is done and good; a leftover is a warning and no failure.
    io.log(`${oldName} could not be dropped: ${messageOf(error)}`, "warn");
    return describeSettled(swap, await engine.settleSwap(spec.on, swap, work));
  }
}

/** For what is done after an abort, too. */
const tidying = (work: WorkContext): WorkContext => ({ ...work, signal: AbortSignal.timeout(30_000) });

async function dropHalf({ spec, io, engine, work }: Attempt, name: string): Promise<void> {
  try {
    await engine.dropDatabase(spec.on, name, tidying(work));
    io.log(`The half-restored database ${name} was dropped.`);
  } catch (error) {
    io.log(`The half-restored database ${name} could not be dropped: ${messageOf(error)}`, "error");
  }
}

function unusable(reason: string): HoldfastError {
  return new HoldfastError("refused", `This copy can't be restored: ${reason}`, {
    remedy: "Restore from another copy, or from another backup that was proven.",
  });
}
