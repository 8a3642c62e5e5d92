import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import type { StartInput } from "../operations/start-operation.ts";
import { startOperation } from "../operations/start-operation.ts";
import { sharedTime } from "../policies/policy-row.ts";
import { backupPath } from "./backup-path.ts";
import { runBackupOperation } from "./operations/run-backup.ts";

export interface NewBackup {
  database: { id: string; name: string; pool: string };
  verify: boolean;
  trigger: StartInput<typeof runBackupOperation.payload>["trigger"];
  title: string;
  /** The operation that starts it; it then shares that root's slots. */
  parent?: { rootId: string };
  /** The policy's run that it belongs to, which has places of its own; without it, it goes to every destination. */
  policy?: { id: string; runId: string; destinationIds: readonly string[] };
}

/**
 * A backup's rows, one copy for each destination, and its queued operation, in the caller's transaction.
 * Throws `refused` when there is no destination.
 */
export async function createBackup(
  tx: Tx,
  ctx: Ctx,
  input: NewBackup,
): Promise<{ backupId: string; operationId: string }> {
  const { database, policy } = input;
  const destinations = await tx.destination.findMany({
    where: { archivedAt: null, ...(policy ? { id: { in: [...policy.destinationIds] } } : {}) },
    orderBy: { createdAt: "asc" },
  });
  if (destinations.length === 0) {
    throw new HoldfastError(
      "refused",
      policy
        ? "None of the policy's destinations is in use."
        : "There is no destination to write a backup to.",
      { remedy: policy ? "Choose one in the policy." : "Add one under Settings, Destinations." },
    );
  }
  const install = await tx.install.findFirstOrThrow();
  // Retention compares these times: one clock for all workers.
  const now = await sharedTime(tx);
  const backupId = newId();
  const operationId = newId();
  const path = backupPath(install.id, database.name, now, backupId);
  await tx.backup.create({
    data: {
      id: backupId,
      databaseId: database.id,
      operationId,
      trigger: input.trigger,
      path,
      reason: "waits for a worker",
      createdAt: now,
      ...(policy ? { policyId: policy.id, policyRunId: policy.runId } : {}),
    },
  });
  await tx.copy.createMany({
    data: destinations.map(({ id }) => ({
      id: newId(),
      backupId,
      destinationId: id,
      path,
      createdAt: now,
    })),
  });
  await startOperation(tx, ctx, runBackupOperation, {
    id: operationId,
    payload: { backupId, verify: input.verify },
    title: input.title,
    pool: database.pool,
    trigger: input.trigger,
    databaseId: database.id,
    backupId,
    ...(input.parent ? { parent: input.parent } : {}),
  });
  await emitAudit(tx, ctx, {
    action: "backup.run",
    object: { kind: "backup", id: backupId, name: database.name },
    after: { operationId, verify: input.verify, destinations: destinations.map(({ name }) => name) },
  });
  await emitEvent(tx, "backups", backupId);
  await emitEvent(tx, "overview");
  return { backupId, operationId };
}
