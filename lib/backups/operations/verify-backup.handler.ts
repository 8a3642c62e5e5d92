import { emitAudit } from "../../audit/emit.ts";
import type { Ctx } from "../../context.ts";
import type { Tx } from "../../db/client.ts";
import type { Prisma } from "../../db/generated/client.ts";
import { destinationSpec } from "../../destinations/destination-spec.ts";
import { readableCopies } from "../../destinations/readable-copies.ts";
import { HoldfastError } from "../../errors.ts";
import { emitEvent } from "../../events/emit.ts";
import { newId } from "../../ids.ts";
import type { OperationHandler, Outcome, Run } from "../../operations/handler.ts";
import { processKeyring } from "../../secrets/process-keyring.ts";
import { runTransfer } from "../../transfer/run-transfer.ts";
import type { VerifyResult } from "../../transfer/schema.ts";
import { repeatCurrentProof } from "../current-proof.ts";
import { verifyBackupOperation } from "./verify-backup.ts";
import { hiddenFolders, workerSettings } from "./worker-settings.ts";

type Payload = { backupId: string; copyId?: string | undefined };

/** Proves copies of a backup and writes the verdicts. */
export const verifyBackupHandler: OperationHandler<typeof verifyBackupOperation.payload> = {
  definition: verifyBackupOperation,
  run: verifyBackup,
  // A proof that ended without a verdict changes no row; its page must only stop to show it as running.
  async onEnd(tx, { backupId }) {
    if (backupId) await emitEvent(tx, "backups", backupId);
    await emitEvent(tx, "overview");
  },
};

async function loadBackup(ctx: Ctx, id: string) {
  return await ctx.db.backup.findUniqueOrThrow({
    where: { id },
    include: {
      database: true,
      manifest: true,
      copies: { include: { destination: true }, orderBy: { createdAt: "asc" } },
    },
  });
}
type LoadedBackup = Awaited<ReturnType<typeof loadBackup>>;
type LoadedCopy = LoadedBackup["copies"][number];

interface Finding {
  copy: LoadedCopy;
  result: VerifyResult;
  startedAt: Date;
  finishedAt: Date;
}

async function verifyBackup(run: Run<Payload>): Promise<Outcome> {
  const { ctx, payload } = run;
  const backup = await loadBackup(ctx, payload.backupId);
  // A copy that failed was never there. One that was missing or altered may have been put right.
  const chosen = backup.copies.filter((copy) =>
    payload.copyId ? copy.id === payload.copyId : copy.state !== "failed" && copy.state !== "writing",
  );
  const copies = readableCopies(chosen);
  if (copies.length === 0 && chosen.length > 0) {
    const places = chosen.map(({ destination }) => destination.name).join(", ");
    throw new HoldfastError(
      "refused",
      `What can't be read can't be proven: ${places} may only be written to.`,
      {
        remedy:
          "Give the destination's credentials the right to read, then test it; or add one that can be read.",
      },
    );
  }
  if (copies.length === 0 || !backup.manifest) {
    throw new HoldfastError("refused", "This backup has no stored copy to prove.", {
      remedy: "Run a new backup.",
    });
  }
  const findings: Finding[] = [];
  for (const copy of copies) {
    // One good restore proves the artefacts; the other copies are the same bytes, which is looked at.
    const restored = findings.some(({ result }) => result.level === "restored");
    findings.push(await verifyCopy(run, backup, copy, restored ? "present" : "restored"));
  }
  const main = mainFinding(findings);
  const bad = findings.filter(({ result }) => result.copyState !== "stored");
  const beside = bad.filter((finding) => finding !== main);
  const notes = beside.map(({ copy, result }) => ` Copy at ${copy.destination.name}: ${result.reason}`);
  return {
    reason: `${main.result.reason}${notes.join("")}`,
    state: main.result.verdict === "proven" && bad.length === 0 ? "succeeded" : "failed",
    result: {
      backupId: backup.id,
      verdict: main.result.verdict,
      level: main.result.level,
      byCount: main.result.byCount,
      copies: findings.map(({ copy, result }) => ({
        destination: copy.destination.name,
        verdict: result.verdict,
        state: result.copyState,
        reason: result.reason,
      })),
    },
    commit: (tx) => saveFindings(tx, run, backup, findings),
  };
}

/** The one that speaks for the run: a proven restore, else a failure, else what could not be verified. */
function mainFinding(findings: Finding[]): Finding {
  const rank = ({ result }: Finding) =>
    result.verdict === "proven" && result.level !== "present" ? 0 : result.verdict === "failed" ? 1 : 2;
  const [main] = findings.toSorted((a, b) => rank(a) - rank(b));
  if (!main) throw new Error("no copy was looked at");
  return main;
}

async function verifyCopy(
  run: Run<Payload>,
  backup: LoadedBackup,
  copy: LoadedCopy,
  upTo: "present" | "restored",
): Promise<Finding> {
  const { ctx } = run;
  const keyring = await processKeyring();
  const install = await ctx.db.install.findFirstOrThrow();
  const startedAt = ctx.clock.now();
  if (backup.copies.length > 1) run.log(`Copy at ${copy.destination.name}, up to "${upTo}"`);
  const result = await runTransfer(run, {
    task: "verify",
    engine: backup.database.engine,
    hidden: hiddenFolders(
      workerSettings(),
      backup.copies.map((one) => one.destination),
    ),
    destination: destinationSpec(copy.destination, keyring),
    installId: install.id,
    path: copy.path,
    manifestText: backup.manifest?.text ?? "",
    identities: keyring.identities(),
    upTo,
  });
  return { copy, result, startedAt, finishedAt: ctx.clock.now() };
}

async function saveFindings(
  tx: Tx,
  run: Run<Payload>,
  backup: LoadedBackup,
  findings: Finding[],
): Promise<void> {
  for (const { copy, result, startedAt, finishedAt } of findings) {
    // Made again meanwhile: what was read is not there any more.
    const { count } = await tx.copy.updateMany({
      where: { id: copy.id, path: copy.path },
      data: {
        state: result.copyState,
        reason: result.copyState === "stored" ? null : result.reason,
        checkedAt: finishedAt,
      },
    });
    if (count === 0) continue;
    await tx.proof.create({
      data: {
        id: newId(),
        backupId: backup.id,
        copyId: copy.id,
        operationId: run.operationId,
        level: result.level,
        verdict: result.verdict,
        byCount: result.byCount,
        reason: result.reason,
        isolation: result.isolation,
        restoreSeconds: result.restoreSeconds,
        report: result.report as unknown as Prisma.InputJsonObject,
        startedAt,
        finishedAt,
      },
    });
  }
  await repeatCurrentProof(tx, backup.id);
  await emitAudit(tx, run.ctx, {
    action: "backup.prove",
    object: { kind: "backup", id: backup.id, name: backup.database.name },
    after: {
      copies: findings.map(({ copy, result }) => ({
        destination: copy.destination.name,
        verdict: result.verdict,
        level: result.level,
        reason: result.reason,
      })),
    },
  });
  await emitEvent(tx, "backups", backup.id);
  await emitEvent(tx, "databases", backup.databaseId);
  await emitEvent(tx, "overview");
}
