import type { Ctx } from "../../context.ts";
import { loadAccess } from "../../databases/load-access.ts";
import type { Tx } from "../../db/client.ts";
import type { SettledSwap, Swap, WorkContext } from "../../engines/engine.ts";
import { engineFor } from "../../engines/registry.ts";
import { isHoldfastError, messageOf } from "../../errors.ts";
import { emitEvent } from "../../events/emit.ts";
import { amendEnd } from "../../operations/amend-end.ts";
import type { Ended, Outcome, Run } from "../../operations/handler.ts";
import { readUnsettled, writeUnsettled } from "../../operations/unsettled.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { temporaryName } from "../../transfer/restore-names.ts";
import { sessionName } from "../../transfer/session-name.ts";
import { reasonOf } from "../../transfer/transfer-fault.ts";
import { describeSettled, unsettledRestore, untouched } from "../../transfer/unsettled-restore.ts";
import { auditRestore } from "../restore-between.ts";
import type { Writer } from "../storage-clean-up.ts";
import { endSessions } from "./end-sessions.ts";
import type { LoadedRestore, RestorePayload } from "./load-restore.ts";
import { loadRestore, placeName } from "./load-restore.ts";
import { restoreBackupOperation } from "./restore-backup.ts";
import { workerSettings } from "./worker-settings.ts";

const PATIENCE_MS = 60_000;

interface Recovery {
  /** How far the swap came, if one was begun. */
  settled: { done: boolean; sentence: string } | null;
  /** Drops the half-restored database under its temporary name, if it is there: whatever else is there stays. */
  drop(): Promise<void>;
}

/**
 * First part of tidying up after a restore that broke off: its sessions are ended, and a swap that it had begun is
 * settled. Throws when the server can't be reached; may be called again and again.
 */
async function recover(ctx: Ctx, databaseId: string, of: Writer, unsettled: unknown): Promise<Recovery> {
  const { operationId } = of;
  const keyring = await processKeyring();
  await endSessions(ctx, keyring, databaseId, of);
  const database = await ctx.db.database.findUniqueOrThrow({ where: { id: databaseId } });
  const access = await loadAccess(ctx, keyring, databaseId);
  const engine = engineFor(database.engine);
  const work = (): WorkContext => ({
    signal: AbortSignal.timeout(PATIENCE_MS),
    log: (line) => ctx.log.info({ operationId }, line),
    progress: () => undefined,
    tempDir: workerSettings().HOLDFAST_TEMP ?? "/tmp",
    applicationName: sessionName(of),
  });
  const swap = unsettledRestore.safeParse(unsettled).data?.swap ?? null;
  return {
    settled: swap ? described(swap, await engine.settleSwap(access, swap, work())) : null,
    drop: () => engine.dropDatabase(access, temporaryName(operationId), work()),
  };
}

function described(swap: Swap, settled: SettledSwap): { done: boolean; sentence: string } {
  const sentence = describeSettled(swap, settled);
  return { done: settled.done, sentence: settled.done ? `The swap was done: ${sentence}` : sentence };
}

/**
 * The transfer tidies up after itself; when its process was killed it could not. Throws its error where the target
 * is as it was. A swap that was done is told, whatever ended the transfer after it.
 */
export async function endBrokenRestore(
  run: Run<RestorePayload>,
  loaded: LoadedRestore,
  name: string,
  error: Error,
): Promise<Outcome> {
  const { ctx, operationId } = run;
  const unsettled = await readUnsettled(ctx.db, operationId);
  const recovery = await recover(ctx, loaded.through.id, run, unsettled).catch((left) => {
    // It stays written down, and so a clean-up is left, which is tried until it goes well.
    run.log(`What it left on the server could not be looked at yet: ${messageOf(left)}`, "error");
    throw error;
  });
  const { settled, drop } = recovery;
  const dropped = await drop().then(
    () => true,
    (left: unknown) => {
      const database = temporaryName(operationId);
      run.log(`The half-restored database ${database} is there still: ${messageOf(left)}`, "error");
      return false;
    },
  );
  await run.unsettled(dropped ? null : { swap: null });
  if (!settled?.done) throw settled ? untouched(name, error) : error;
  if (!isHoldfastError(error)) ctx.log.error({ err: error, operationId }, "a transfer ended after its swap");
  run.log(settled.sentence, "warn");
  const reason = `${reasonOf(error)} ${settled.sentence}`;
  return {
    reason,
    state: "failed",
    commit: (tx) => tellRestored(tx, run.ctx, loaded, operationId, { database: name, reason }),
  };
}

/** What a restore over left that was lost or cancelled after its swap: it is done, and its database equal. */
async function tellRestored(
  tx: Tx,
  ctx: Ctx,
  loaded: LoadedRestore,
  operationId: string,
  there: { database: string; reason: string },
): Promise<void> {
  const of = { operationId, kind: "over", equal: true };
  await auditRestore(tx, ctx, "restored", loaded, { of, there });
  await emitEvent(tx, "databases", loaded.through.id);
}

/** After a restore whose worker was lost, or that left something unsettled: what became of it is told, the rest dropped. */
export async function cleanUpRestore(ctx: Ctx, ended: Ended): Promise<void> {
  const payload = restoreBackupOperation.payload.safeParse(ended.payload);
  if (!payload.success) return;
  const { operationId, unsettled } = ended;
  const { settled, drop } = await recover(ctx, payload.data.databaseId, ended, unsettled);
  if (settled) {
    const loaded = await loadRestore(ctx, payload.data);
    const access = await loadAccess(ctx, await processKeyring(), loaded.through.id);
    const { sentence, done } = settled;
    await ctx.db.$transaction(async (tx) => {
      await amendEnd(tx, ended, sentence);
      if (done) {
        const there = { database: placeName(access), reason: sentence };
        await tellRestored(tx, ctx, loaded, operationId, there);
      }
      // Told once; what is left is dropped without it.
      await writeUnsettled(tx, operationId, { swap: null });
    });
  }
  await drop();
}
