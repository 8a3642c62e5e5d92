import type { Db, Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";
import type { OperationDefinition } from "./definition.ts";
import type { SlotTarget } from "./slots.ts";
import { giveBack, slotNeeds, takeSlots } from "./slots.ts";
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
  /** Identity of the server whose slots are held; null where it was not asked for. */
  serverIdentity: string | null;
  /** Why the server could not be asked who it is: the attempt can only fail with this. */
  refusal: { error: unknown } | null;
}

/** What the server of an operation's database answered when it was asked who it is. */
export type Seen = { identity: string } | { error: unknown };

export interface ClaimOptions {
  workerId: string;
  workerName: string;
  leaseMs: number;
  /** Operations at once against one database server. */
  serverConcurrency: number;
  definitionOf(kind: string): OperationDefinition | undefined;
  /** Whether the server has to be asked who it is before slots of this kind are taken. */
  identifies(kind: string): boolean;
  /** Null until it was asked. */
  seen: Seen | null;
}

export type ClaimResult =
  | { outcome: "claimed"; claim: Claim }
  /** It stays queued: a slot is held, or this worker does not know the kind. */
  | { outcome: "waits" }
  /** Its slots are free, as far as is known: the server has to be asked who it is, then this again. */
  | { outcome: "identify"; kind: string; databaseId: string }
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
      const target = targetOf(row, options.seen);
      const needs = slotNeeds(definition, target);
      const { leaseMs, serverConcurrency } = options;
      const slots = await takeSlots(tx, needs, {
        rootId: row.root_id,
        operationId,
        leaseMs,
        serverConcurrency,
      });
      if (!slots.taken) {
        const reason =
          slots.waitsFor === needs.server
            ? waitsForServer(serverConcurrency)
            : await waitsForHolder(tx, operationId, slots.waitsFor);
        await stayQueued(tx, operationId, reason, slots.waitsFor);
        return { outcome: "waits" };
      }
      if (target && definition.exclusive && options.seen === null && options.identifies(row.kind)) {
        await giveBack(tx, operationId);
        return { outcome: "identify", kind: row.kind, databaseId: target.databaseId };
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

function targetOf(row: QueuedRow, seen: Seen | null): SlotTarget | null {
  const { database_id: databaseId, connection } = row;
  if (databaseId === null || connection === null) return null;
  const serverIdentity = seen && "identity" in seen ? seen.identity : row.server_identity;
  return { databaseId, serverIdentity, connection };
}

function waitsForServer(places: number): string {
  return places === 1
    ? "waits for the database server: one operation at a time runs against it"
    : `waits for the database server: ${places} operations at a time run against it`;
}

/** Names who holds the slot, unless that is about a registration that not everybody sees who sees this one. */
async function waitsForHolder(tx: Tx, operationId: string, slot: string): Promise<string> {
  const [holder] = await tx.$queryRaw<{ title: string; together: boolean }[]>`
    SELECT o.title, (d.application, d.environment_id) IS NOT DISTINCT FROM (mine.application, mine.environment_id) AS together
      FROM slot s JOIN operation o ON o.id = s.operation_id LEFT JOIN database d ON d.id = o.database_id
      LEFT JOIN (SELECT w.application, w.environment_id FROM operation q JOIN database w ON w.id = q.database_id
        WHERE q.id = ${operationId}::uuid) mine ON true
     WHERE s.key = ${slot}`;
  if (!holder) return "waits for the database";
  const who = holder.together ? `“${holder.title}”` : "another operation";
  return `waits for ${who}, which works on the same database`;
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
    serverIdentity: options.seen && "identity" in options.seen ? options.seen.identity : null,
    refusal: options.seen && "error" in options.seen ? options.seen : null,
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
