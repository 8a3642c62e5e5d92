import type { Db, Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";
import type { OperationDefinition } from "./definition.ts";
import type { SlotNeeds } from "./slots.ts";
import { slotNeeds, takeSlots } from "./slots.ts";
import { recordTransition } from "./transition.ts";

/** One attempt at one operation, held by one worker for as long as it renews the lease. */
export interface Claim {
  operationId: string;
  rootId: string;
  attempt: number;
  maxAttempts: number;
  kind: string;
  title: string;
  pool: string;
  workerId: string;
  databaseId: string | null;
  backupId: string | null;
  payload: unknown;
}

export interface ClaimOptions {
  workerId: string;
  workerName: string;
  leaseMs: number;
  /** Operations at once against one database server. */
  serverConcurrency: number;
  definitionOf(kind: string): OperationDefinition | undefined;
}

export type ClaimResult =
  | { outcome: "claimed"; claim: Claim }
  /** It stays queued: a slot is held, or this worker does not know the kind. */
  | { outcome: "waits" }
  /** Somebody else has it, or it has ended. */
  | { outcome: "gone" };

interface QueuedRow {
  root_id: string;
  attempt: number;
  max_attempts: number;
  kind: string;
  title: string;
  pool: string;
  payload: unknown;
  database_id: string | null;
  backup_id: string | null;
  server_identity: string | null;
  connection: Record<string, unknown> | null;
}

/** The claim is another's now, or the operation has ended: nothing more may be written for it. */
export class ClaimLost extends Error {
  constructor() {
    super("this worker no longer holds the operation");
    this.name = "ClaimLost";
  }
}

/**
 * Takes a queued operation and its slots for this worker, as a new attempt. Of two workers that ask at once one
 * gets it. Without its slots the operation stays queued and says what it waits for.
 */
export async function claimOperation(
  db: Db,
  operationId: string,
  options: ClaimOptions,
): Promise<ClaimResult> {
  return await db.$transaction(
    async (tx) => {
      const row = await lockQueued(tx, operationId);
      if (!row) return { outcome: "gone" };
      const definition = options.definitionOf(row.kind);
      if (!definition) {
        await stayQueued(tx, operationId, `waits for a worker that can do ${row.kind}`, null);
        return { outcome: "waits" };
      }
      const needs = slotNeeds(definition, targetOf(row));
      const { leaseMs, serverConcurrency } = options;
      const slots = await takeSlots(tx, needs, {
        rootId: row.root_id,
        operationId,
        leaseMs,
        serverConcurrency,
      });
      if (!slots.taken) {
        const reason = await waitReason(tx, needs, slots.waitsFor, serverConcurrency);
        await stayQueued(tx, operationId, reason, slots.waitsFor);
        return { outcome: "waits" };
      }
      return { outcome: "claimed", claim: await markRunning(tx, operationId, row, options) };
    },
    { maxWait: 10_000, timeout: 20_000 },
  );
}

async function lockQueued(tx: Tx, operationId: string): Promise<QueuedRow | undefined> {
  const [row] = await tx.$queryRaw<QueuedRow[]>`
    SELECT o.root_id::text, o.attempt, o.max_attempts, o.kind, o.title, o.pool, o.payload,
           o.database_id::text, o.backup_id::text, d.server_identity, d.connection
      FROM operation o LEFT JOIN database d ON d.id = o.database_id
     WHERE o.id = ${operationId}::uuid AND o.state = 'queued' FOR UPDATE OF o`;
  return row;
}

function targetOf(row: QueuedRow) {
  if (row.database_id === null || row.connection === null) return null;
  return { databaseId: row.database_id, serverIdentity: row.server_identity, connection: row.connection };
}

async function waitReason(tx: Tx, needs: SlotNeeds, waitsFor: string, places: number): Promise<string> {
  if (waitsFor !== needs.database) {
    return places === 1
      ? "waits for the database server: one operation at a time runs against it"
      : `waits for the database server: ${places} operations at a time run against it`;
  }
  const [holder] = await tx.$queryRaw<{ title: string }[]>`
    SELECT o.title FROM slot s JOIN operation o ON o.id = s.operation_id WHERE s.key = ${waitsFor}`;
  return holder ? `waits for “${holder.title}”, which works on the same database` : "waits for the database";
}

async function stayQueued(tx: Tx, id: string, reason: string, waitsFor: string | null): Promise<void> {
  const changed = await tx.$executeRaw`
    UPDATE operation SET reason = ${reason}, waits_for = ${waitsFor}
     WHERE id = ${id}::uuid AND (reason, waits_for) IS DISTINCT FROM (${reason}, ${waitsFor}::text)`;
  if (changed > 0) await emitEvent(tx, "operations", id);
}

async function markRunning(
  tx: Tx,
  operationId: string,
  row: QueuedRow,
  options: ClaimOptions,
): Promise<Claim> {
  const attempt = row.attempt + 1;
  const reason =
    attempt === 1 ? `runs on ${options.workerName}` : `attempt ${attempt}, on ${options.workerName}`;
  await tx.$executeRaw`
    UPDATE operation
       SET state = 'running', attempt = ${attempt}, worker_id = ${options.workerId}::uuid, reason = ${reason},
           lease_until = now() + ${options.leaseMs} * interval '1 millisecond', waits_for = NULL,
           started_at = now(), progress_at = now(), progress = NULL, result = NULL, error = NULL
     WHERE id = ${operationId}::uuid`;
  await recordTransition(tx, { operationId, attempt, state: "running", reason });
  return {
    operationId,
    rootId: row.root_id,
    attempt,
    maxAttempts: row.max_attempts,
    kind: row.kind,
    title: row.title,
    pool: row.pool,
    workerId: options.workerId,
    databaseId: row.database_id,
    backupId: row.backup_id,
    payload: row.payload,
  };
}

export interface HeldOperation {
  state: "running" | "cancelling";
  cancelAskedBy: string | null;
}

/**
 * First statement of every later write of an attempt: locks its row if the claim still holds, so that nobody
 * can take it before the transaction ends. Throws ClaimLost otherwise.
 */
export async function lockClaim(tx: Tx, claim: Claim): Promise<HeldOperation> {
  const [row] = await tx.$queryRaw<{ state: "running" | "cancelling"; cancel_asked_by: string | null }[]>`
    SELECT state::text, cancel_asked_by FROM operation
     WHERE id = ${claim.operationId}::uuid AND attempt = ${claim.attempt} AND worker_id = ${claim.workerId}::uuid
       AND state IN ('running', 'cancelling') FOR UPDATE`;
  if (!row) throw new ClaimLost();
  return { state: row.state, cancelAskedBy: row.cancel_asked_by };
}
