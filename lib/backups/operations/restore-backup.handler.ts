import path from "node:path";
import type { z } from "zod";
import { emitAudit } from "../../audit/emit.ts";
import type { Ctx } from "../../context.ts";
import { createDatabase } from "../../databases/create-database.ts";
import { loadAccess } from "../../databases/load-access.ts";
import { isOwnDatabase, ownDatabaseRefusal } from "../../databases/own-database.ts";
import type { Tx } from "../../db/client.ts";
import { destinationSpec } from "../../destinations/destination-spec.ts";
import type { Access } from "../../engines/engine.ts";
import { engineFor } from "../../engines/registry.ts";
import { HoldfastError, messageOf } from "../../errors.ts";
import { emitEvent } from "../../events/emit.ts";
import type { Ended, OperationHandler, Outcome, Run } from "../../operations/handler.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { temporaryName } from "../../transfer/restore-names.ts";
import { runTransfer } from "../../transfer/run-transfer.ts";
import type { RestoreResultMessage } from "../../transfer/schema.ts";
import { createBackup } from "../create-backup.ts";
import { byInterest } from "../proof-dto.ts";
import { restoreBackupOperation } from "./restore-backup.ts";
import { endSessions } from "./run-backup.handler.ts";
import { verifyBackupOperation } from "./verify-backup.ts";
import { hiddenFolders, workerSettings } from "./worker-settings.ts";

type Payload = z.output<typeof restoreBackupOperation.payload>;

/** Tables of the comparison that the operation's result keeps; those that differ come first. */
const RESULT_TABLES = 500;

/** Restores a backup into a new database, or over an existing one after a safety backup. */
export const restoreBackupHandler: OperationHandler<typeof restoreBackupOperation.payload> = {
  definition: restoreBackupOperation,
  run: restoreBackup,
  async onEnd(tx, { databaseId }) {
    if (databaseId) await emitEvent(tx, "databases", databaseId);
  },
  cleanUp,
};

async function load(ctx: Ctx, { backupId, databaseId }: Payload) {
  const backup = await ctx.db.backup.findUniqueOrThrow({
    where: { id: backupId },
    include: {
      database: true,
      manifest: true,
      copies: { where: { state: "stored" }, include: { destination: true }, orderBy: { createdAt: "asc" } },
    },
  });
  const through = await ctx.db.database.findUniqueOrThrow({
    where: { id: databaseId },
    include: { environment: true },
  });
  return { backup, through };
}
type Loaded = Awaited<ReturnType<typeof load>>;

async function restoreBackup(run: Run<Payload>): Promise<Outcome> {
  const { ctx, payload } = run;
  const keyring = await processKeyring();
  const { backup, through } = await load(ctx, payload);
  const [copy] = backup.copies;
  if (!copy || !backup.manifest) {
    throw new HoldfastError("refused", "No copy of this backup is known to be good.", {
      remedy: "Choose another backup, or verify this one again once its destination is back.",
    });
  }
  const access = await loadAccess(ctx, keyring, through.id);
  run.hide(access.password);
  const name = payload.target.kind === "new" ? payload.target.name : placeName(access);
  await run.step("Check the target", () => refuseOwn(run, through, access, name));
  if (payload.target.kind === "over") {
    const safety = await run.step("Safety backup", () => makeSafetyBackup(run, through));
    run.log(`Safety backup ${safety} of ${through.name} is in place.`);
  }
  const install = await ctx.db.install.findFirstOrThrow();
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
  }).catch(async (error: unknown) => {
    // The transfer tidies up after itself; when its process was killed it could not.
    await dropUnfinished(ctx, through.id, run.operationId).catch((left: unknown) => {
      const database = temporaryName(run.operationId);
      run.log(`The half-restored database ${database} may be left: ${messageOf(left)}`, "error");
    });
    throw error;
  });
  const registered = await register(run, through, result, name);
  return {
    reason: `${result.reason}${registered ? ` Registered as ${registered}.` : ""}`,
    state: result.equal ? "succeeded" : "failed",
    result: resultOf(result, name, registered),
    commit: (tx) => saveRestore(tx, run, { backup, through }, result, name),
  };
}

/** A database's name on its server; for a file, its name without folder. */
function placeName({ connection }: Access): string {
  if (typeof connection.database === "string") return connection.database;
  if (typeof connection.file === "string") return path.basename(connection.file);
  throw new Error("the connection names no database");
}

async function refuseOwn(
  run: Run<Payload>,
  through: Loaded["through"],
  access: Access,
  name: string,
): Promise<void> {
  const engine = engineFor(through.engine);
  const there = await engine.probe(access, run.signal);
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
  await emitAudit(tx, run.ctx, {
    action: "backup.restored",
    object: { kind: "backup", id: backup.id, name: backup.database.name },
    after: {
      kind: run.payload.target.kind,
      through: through.name,
      database: name,
      equal: result.equal,
      reason: result.reason,
    },
  });
  await emitEvent(tx, "backups", backup.id);
  await emitEvent(tx, "databases", through.id);
}

async function cleanUp(ctx: Ctx, ended: Ended): Promise<void> {
  const payload = restoreBackupOperation.payload.safeParse(ended.payload);
  if (payload.success) await dropUnfinished(ctx, payload.data.databaseId, ended.operationId);
}

/** Sessions, and the half-restored database under its temporary name: whatever else is there stays. */
async function dropUnfinished(ctx: Ctx, databaseId: string, operationId: string): Promise<void> {
  const keyring = await processKeyring();
  await endSessions(ctx, keyring, databaseId, operationId);
  const database = await ctx.db.database.findUniqueOrThrow({ where: { id: databaseId } });
  const access = await loadAccess(ctx, keyring, databaseId);
  await engineFor(database.engine).dropDatabase(access, temporaryName(operationId), {
    signal: AbortSignal.timeout(60_000),
    log: (line) => ctx.log.info({ operationId }, line),
    progress: () => undefined,
    tempDir: workerSettings().HOLDFAST_TEMP ?? "/tmp",
    applicationName: `holdfast:${operationId}`,
  });
}
