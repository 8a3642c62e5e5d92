import type { Ctx } from "../../context.ts";
import type { Tx } from "../../db/client.ts";
import { destinationSpec } from "../../destinations/destination-spec.ts";
import { prepareDestination } from "../../destinations/prepare-destination.ts";
import { readableCopies } from "../../destinations/readable-copies.ts";
import { HoldfastError, messageOf } from "../../errors.ts";
import { formatBytes } from "../../format.ts";
import type { Ended, OperationHandler, Outcome, Run } from "../../operations/handler.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { runTransfer } from "../../transfer/run-transfer.ts";
import type { CopyResult } from "../../transfer/schema.ts";
import { openFolder, removeFolders } from "../storage-clean-up.ts";
import { copyBackupOperation } from "./copy-backup.ts";
import { saveCopies, saveFault, scheduleRetry, tellOfCopies } from "./save-copies.ts";
import { hiddenFolders, workerSettings } from "./worker-settings.ts";

type Payload = { backupId: string; destinationIds: string[] };

/** Copies a backup to where it is missing, from the first copy that turns out to be good. */
export const copyBackupHandler: OperationHandler<typeof copyBackupOperation.payload> = {
  definition: copyBackupOperation,
  run: copyBackup,
  onEnd,
  cleanUp: removeFolders,
};

async function load(ctx: Ctx, { backupId, destinationIds }: Payload) {
  const backup = await ctx.db.backup.findUniqueOrThrow({
    where: { id: backupId },
    include: {
      database: true,
      manifest: true,
      copies: { include: { destination: true }, orderBy: { createdAt: "asc" } },
    },
  });
  const stored = backup.copies.filter((copy) => copy.state === "stored").map((copy) => copy.destinationId);
  const wanted = await ctx.db.destination.findMany({
    where: { id: { in: destinationIds, notIn: stored } },
    orderBy: { createdAt: "asc" },
  });
  const targets = wanted.filter(({ archivedAt }) => archivedAt === null);
  return { backup, targets, archived: wanted.filter(({ archivedAt }) => archivedAt !== null) };
}
type Loaded = Awaited<ReturnType<typeof load>>;
type LoadedCopy = Loaded["backup"]["copies"][number];

async function copyBackup(run: Run<Payload>): Promise<Outcome> {
  const loaded = await load(run.ctx, run.payload);
  const { backup, targets, archived } = loaded;
  if (targets.length === 0) {
    const [gone] = archived;
    if (!gone) return { reason: "every copy is stored already" };
    throw new HoldfastError("refused", `${gone.name} is archived: nothing is stored there any more.`, {
      remedy: "Copy to another destination.",
    });
  }
  // One that could not be reached may be back; its bytes are judged on the way like any other's.
  const readable = readableCopies(backup.copies);
  const sources = [
    ...readable.filter((copy) => copy.state === "stored"),
    ...readable.filter((copy) => copy.state === "unreachable"),
  ].filter((copy) => !targets.some(({ id }) => id === copy.destinationId));
  if (sources.length === 0 || !backup.manifest) throw noGoodCopy();
  const keyring = await processKeyring();
  for (const { id } of targets) await prepareDestination(run.ctx, keyring, id, run.save);
  const faults: string[] = [];
  for (const source of sources) {
    const { path, result } = await copyFrom(run, loaded, source);
    if (!result.fault) return outcomeOf(run, loaded, source, path, result);
    faults.push(`${source.destination.name}: ${result.fault.reason}`);
    run.log(`The copy at ${source.destination.name} is not used: ${result.fault.reason}`, "warn");
    const { fault } = result;
    await run.save((tx) => saveFault(tx, run, source, fault));
  }
  throw noGoodCopy(faults);
}

function noGoodCopy(faults: string[] = []): HoldfastError {
  const why = faults.length > 0 ? ` ${faults.join(" ")}` : "";
  return new HoldfastError("refused", `There is no good copy of this backup to copy from.${why}`, {
    remedy: "Run a new backup; verify this one again once its destinations are back.",
  });
}

async function copyFrom(
  run: Run<Payload>,
  { backup, targets }: Loaded,
  source: LoadedCopy,
): Promise<{ path: string; result: CopyResult }> {
  const { ctx } = run;
  const env = workerSettings();
  const keyring = await processKeyring();
  const install = await ctx.db.install.findFirstOrThrow();
  const ids = targets.map(({ id }) => id);
  const path = await run.save((tx) => openFolder(tx, run, backup, ids, ctx.clock.now()));
  try {
    const result = await runTransfer(run, {
      task: "copy",
      engine: backup.database.engine,
      hidden: hiddenFolders(env, [source.destination, ...targets]),
      installId: install.id,
      source: destinationSpec(source.destination, keyring),
      sourcePath: source.path,
      manifestText: backup.manifest?.text ?? "",
      destinations: targets.map((target) => destinationSpec(target, keyring)),
      path,
      detachAfterMs: env.HOLDFAST_DETACH_SECONDS * 1000,
    });
    return { path, result };
  } catch (error) {
    await removeFolders(ctx, run).catch((left: unknown) =>
      run.log(`Parts of the copy are removed later: ${messageOf(left)}`, "warn"),
    );
    throw error;
  }
}

function outcomeOf(
  run: Run<Payload>,
  loaded: Loaded,
  source: LoadedCopy,
  path: string,
  result: CopyResult,
): Outcome {
  const { backup, targets } = loaded;
  const nameOf = (id: string) => targets.find((target) => target.id === id)?.name ?? id;
  const stored = result.copies.filter((copy) => copy.state === "stored");
  const failed = result.copies.filter((copy) => copy.state === "failed");
  const made = `${formatBytes(stored[0]?.bytes ?? 0)} copied from ${source.destination.name} to ${stored
    .map((copy) => nameOf(copy.destinationId))
    .join(", ")}`;
  const notMade = failed.map((copy) => ` ${nameOf(copy.destinationId)}: ${copy.reason}`).join("");
  return {
    state: failed.length === 0 ? "succeeded" : "failed",
    reason: failed.length === 0 ? made : `${made}.${notMade}`,
    result: {
      backupId: backup.id,
      from: source.destination.name,
      copies: result.copies.map(({ destinationId, state, reason }) => ({
        destination: nameOf(destinationId),
        state,
        reason,
      })),
    },
    commit: (tx) => saveCopies(tx, run, loaded, { source, path, result }),
  };
}

async function onEnd(tx: Tx, ended: Ended): Promise<void> {
  const payload = copyBackupOperation.payload.safeParse(ended.payload);
  if (!payload.success) return;
  const { backupId, destinationIds } = payload.data;
  // Somebody who cancels it does not want it to come back by itself.
  if (!ended.retry && ended.state !== "cancelled") {
    for (const destinationId of destinationIds) {
      await scheduleRetry(tx, backupId, destinationId, ended.reason, new Date());
    }
  }
  await tellOfCopies(tx, backupId, ended.databaseId);
}
