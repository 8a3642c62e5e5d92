import type { z } from "zod";
import { createDatabase } from "../../databases/create-database.ts";
import { identifyServer } from "../../databases/identify-server.ts";
import { loadAccess } from "../../databases/load-access.ts";
import { isOwnDatabase, ownDatabaseRefusal } from "../../databases/own-database.ts";
import type { Tx } from "../../db/client.ts";
import { destinationSpec } from "../../destinations/destination-spec.ts";
import type { Access } from "../../engines/engine.ts";
import { engineFor } from "../../engines/registry.ts";
import { HoldfastError, messageOf } from "../../errors.ts";
import { emitEvent } from "../../events/emit.ts";
import type { OperationHandler, Outcome, Run } from "../../operations/handler.ts";
import { writeUnsettled } from "../../operations/unsettled.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { runTransfer } from "../../transfer/run-transfer.ts";
import { requireSameServer } from "../../transfer/same-server.ts";
import type { RestoreResultMessage } from "../../transfer/schema.ts";
import type { unsettledRestore } from "../../transfer/unsettled-restore.ts";
import { createBackup } from "../create-backup.ts";
import { byInterest } from "../proof-dto.ts";
import { auditRestore, seenTogether } from "../restore-between.ts";
import type { LoadedRestore, RestorePayload } from "./load-restore.ts";
import { loadRestore, placeName } from "./load-restore.ts";
import { restoreBackupOperation } from "./restore-backup.ts";
import { cleanUpRestore, endBrokenRestore } from "./restore-recovery.ts";
import { verifyBackupOperation } from "./verify-backup.ts";
import { hiddenFolders, workerSettings } from "./worker-settings.ts";

type Payload = RestorePayload;
type Loaded = LoadedRestore;

/** Tables of the comparison that the operation's result keeps; those that differ come first. */
const RESULT_TABLES = 500;

/** Restores a backup into a new database, or over an existing one after a safety backup. */
export const restoreBackupHandler: OperationHandler<typeof restoreBackupOperation.payload> = {
  definition: restoreBackupOperation,
  identify: identifyServer,
  run: restoreBackup,
  async onEnd(tx, { databaseId }) {
    if (databaseId) await emitEvent(tx, "databases", databaseId);
  },
  cleanUp: cleanUpRestore,
};

async function restoreBackup(run: Run<Payload>): Promise<Outcome> {
  const { ctx, payload } = run;
  const keyring = await processKeyring();
  const { backup, through } = await loadRestore(ctx, payload);
  const [copy] = backup.copies;
  if (!copy || !backup.manifest) {
    throw new HoldfastError("refused", "No copy of this backup is known to be good.", {
      remedy: "Choose another backup, or verify this one again once its destination is back.",
    });
  }
  const access = await loadAccess(ctx, keyring, through.id);
  run.hide(access.password);
  // The folder of a backup is named after its database.
  if (!seenTogether({ backup, through })) run.hide(copy.path);
  const name = payload.target.kind === "new" ? payload.target.name : placeName(access);
  await run.step("Check the target", () => checkTarget(run, through, access, name));
  if (payload.target.kind === "over") {
    const safety = await run.step("Safety backup", () => makeSafetyBackup(run, through));
    run.log(`Safety backup ${safety} of ${through.name} is in place.`);
  }
  const install = await ctx.db.install.findFirstOrThrow();
  await run.unsettled({ swap: null } satisfies z.input<typeof unsettledRestore>);
  const result = await runTransfer(run, {
    task: "restore",
    engine: backup.database.engine,
    hidden: hiddenFolders(workerSettings(), [copy.destination]),
    destination: destinationSpec(copy.destination, keyring),
    installId: install.id,
    path: copy.path,
    manifestText: backup.manifest.text,
    identities: keyring.identities(),
    on: access,
    target:
      payload.target.kind === "new"
        ? { kind: "new", name }
        : { kind: "over", name, endSessions: payload.target.endSessions },
    jobs: payload.jobs,
  }).catch((error: unknown) => error as Error);
  if (result instanceof Error) return await endBrokenRestore(run, { backup, through }, name, result);
  const registered = await register(run, through, result, name);
  return {
    reason: `${result.reason}${registered ? ` Registered as ${registered}.` : ""}`,
    state: result.equal ? "succeeded" : "failed",
    result: resultOf(result, name, registered),
    commit: (tx) => saveRestore(tx, run, { backup, through }, result, name),
  };
}

/** Never Holdfast's own database, and only on the server whose slots are held. */
async function checkTarget(
  run: Run<Payload>,
  through: Loaded["through"],
  access: Access,
  name: string,
): Promise<void> {
  const engine = engineFor(through.engine);
  const there = await engine.probe(access, run.signal);
  if (run.serverIdentity !== null) requireSameServer(there.identity, run.serverIdentity);
  const replaced = run.payload.target.kind === "new" ? { ...there, databaseName: name } : there;
  if (await isOwnDatabase(engine, replaced, run.signal)) throw ownDatabaseRefusal();
}

/**
 * A finished backup of what is about to be replaced, proven, or with the reason why this worker can't prove it;
 * throws when there is none to be had.
 */
async function makeSafetyBackup(run: Run<Payload>, through: Loaded["through"]): Promise<string> {
  const { ctx } = run;
  const { backupId, operationId } = await run.save((tx) =>
    createBackup(tx, ctx, {
      database: through,
      verify: true,
      trigger: "chain",
      title: `Safety backup of ${through.name}`,
      parent: { rootId: run.rootId },
    }),
  );
  run.log(`Waiting for the safety backup ${backupId}`);
  const dumped = await run.waitFor(operationId);
  if (dumped.state !== "succeeded") throw noSafety(dumped.reason ?? dumped.state);
  const proof = await ctx.db.operation.findFirst({
    where: { backupId, kind: verifyBackupOperation.kind },
    orderBy: { createdAt: "desc" },
    select: { id: true },
  });
  if (proof) await run.waitFor(proof.id);
  const made = await ctx.db.backup.findUniqueOrThrow({ where: { id: backupId } });
  if (made.proofVerdict === "failed") throw noSafety(made.proofReason ?? "its proof failed");
  // A proof that somebody cancelled, or that broke off, says nothing at all.
  if (made.proofVerdict === null) throw noSafety("Its proof came to no verdict.");
  if (made.proofVerdict !== "proven") {
    run.log(
      `The safety backup is ${made.state}, but not proven: ${made.proofReason ?? "no reason given"}`,
      "warn",
    );
  }
  return backupId;
}

function noSafety(why: string): HoldfastError {
  return new HoldfastError("refused", `Nothing was touched: there is no good safety backup. ${why}`, {
    remedy: "Restore into a new database instead, or put right what keeps the backup from being made.",
  });
}

/** The database is there and good even if it can't be registered; that is told and not a failure. */
async function register(
  run: Run<Payload>,
  through: Loaded["through"],
  result: RestoreResultMessage,
  name: string,
): Promise<string | null> {
  const { target } = run.payload;
  if (target.kind !== "new" || !target.register || !result.equal) return null;
  try {
    const made = await createDatabase(run.ctx, {
      name: name.replaceAll("_", "-"),
      engine: through.engine,
      application: name.replaceAll("_", "-"),
      environment: through.environment.name,
      pool: through.pool,
      connection: result.access.connection,
      ...(result.access.password === undefined ? {} : { password: result.access.password }),
    });
    return made.name;
  } catch (error) {
    run.log(`The restored database could not be registered: ${messageOf(error)}`, "warn");
    return null;
  }
}

function resultOf(result: RestoreResultMessage, name: string, registered: string | null) {
  const { tables, checks } = result.report;
  return {
    database: name,
    registered,
    equal: result.equal,
    restoreSeconds: result.restoreSeconds,
    skipped: result.skipped,
    tableCounts: {
      equal: tables.filter((table) => table.equal === true).length,
      different: tables.filter((table) => table.equal === false).length,
      notCompared: tables.filter((table) => table.equal === null).length,
    },
    tables: byInterest(tables).slice(0, RESULT_TABLES),
    checks,
  };
}

async function saveRestore(
  tx: Tx,
  run: Run<Payload>,
  { backup, through }: Loaded,
  result: RestoreResultMessage,
  name: string,
): Promise<void> {
  await writeUnsettled(tx, run.operationId, null);
  const { kind } = run.payload.target;
  await auditRestore(
    tx,
    run.ctx,
    "restored",
    { backup, through },
    {
      of: { operationId: run.operationId, kind, equal: result.equal },
      there: { database: name, reason: result.reason },
    },
  );
  await emitEvent(tx, "backups", backup.id);
  await emitEvent(tx, "databases", through.id);
}
