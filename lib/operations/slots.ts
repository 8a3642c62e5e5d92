import type { Tx } from "../db/client.ts";
import type { OperationDefinition } from "./definition.ts";
import { enqueue } from "./dispatch.ts";

/** The database that an operation works on, as far as limits are concerned. */
export interface SlotTarget {
  databaseId: string;
  serverIdentity: string | null;
  connection: Record<string, unknown>;
}

/** What an operation has to hold while it runs. */
export interface SlotNeeds {
  /** Each held by one root operation at a time. */
  exclusive: string[];
  /** Prefix of the server's numbered places. */
  server: string | null;
}

export interface SlotRequest {
  rootId: string;
  operationId: string;
  leaseMs: number;
  serverConcurrency: number;
}

export type SlotResult = { taken: true } | { taken: false; waitsFor: string };

/**
 * Keys are made of the server's own identity and the database's name there, so that two registrations of one
 * database share them; a file's identity is its own, whatever its name. The registration has a key beside that:
 * its server may be another one, or first be known, while an operation runs.
 */
export function slotNeeds(
  definition: Pick<OperationDefinition, "exclusive" | "usesServer">,
  target: SlotTarget | null,
): SlotNeeds {
  if (!target) return { exclusive: [], server: null };
  const { databaseId, serverIdentity, connection } = target;
  const name = typeof connection.database === "string" ? `/${connection.database}` : "";
  const known = serverIdentity === null ? [] : [`database:${serverIdentity}${name}`];
  return {
    exclusive: definition.exclusive ? [...known, `registration:${databaseId}`] : [],
    server: definition.usesServer ? `server:${serverIdentity ?? `unprobed-${databaseId}`}` : null,
  };
}

/**
 * Takes all slots or none. A slot of the same root operation is inherited; one whose lease has run out is taken
 * over. A slot that is held stays locked until the transaction ends, so that its holder cannot free it unseen
 * before `waitsFor` is written. Whoever takes or frees slots does so in the order of their keys.
 */
export async function takeSlots(tx: Tx, needs: SlotNeeds, request: SlotRequest): Promise<SlotResult> {
  for (const key of needs.exclusive) {
    if (await takeOne(tx, key, request)) continue;
    await giveBack(tx, request.operationId);
    return { taken: false, waitsFor: key };
  }
  if (needs.server !== null && !(await takeServerPlace(tx, needs.server, request))) {
    await giveBack(tx, request.operationId);
    return { taken: false, waitsFor: needs.server };
  }
  return { taken: true };
}

/** Gives up what takeSlots took in the same transaction, so that nobody has to be woken. */
export async function giveBack(tx: Tx, operationId: string): Promise<void> {
  await tx.slot.deleteMany({ where: { operationId } });
}

async function takeServerPlace(tx: Tx, server: string, request: SlotRequest): Promise<boolean> {
  const [inherited] = await tx.$queryRaw<{ key: string }[]>`
    SELECT key FROM slot
     WHERE root_id = ${request.rootId}::uuid AND starts_with(key, ${`${server}#`}) AND lease_until > now()
     ORDER BY key LIMIT 1 FOR UPDATE`;
  if (inherited) return true;
  for (let place = 0; place < request.serverConcurrency; place += 1) {
    if (await takeOne(tx, `${server}#${place}`, request)) return true;
  }
  return false;
}

async function takeOne(tx: Tx, key: string, request: SlotRequest): Promise<boolean> {
  const { rootId, operationId, leaseMs } = request;
  const rows = await tx.$queryRaw<unknown[]>`
    INSERT INTO slot AS held (key, root_id, operation_id, lease_until)
    VALUES (${key}, ${rootId}::uuid, ${operationId}::uuid, now() + ${leaseMs} * interval '1 millisecond')
    ON CONFLICT (key) DO UPDATE
      SET root_id = excluded.root_id,
          operation_id = CASE WHEN held.root_id = excluded.root_id AND held.lease_until > now()
                              THEN held.operation_id ELSE excluded.operation_id END,
          lease_until = greatest(held.lease_until, excluded.lease_until)
      WHERE held.lease_until <= now() OR held.root_id = excluded.root_id
    RETURNING 1 AS taken`;
  return rows.length > 0;
}

/**
 * Frees what an operation holds and wakes those who wait for it, in the transaction of its end. While another
 * operation of the same root still runs, the slots pass on to it.
 */
export async function freeSlots(tx: Tx, operation: { id: string; rootId: string }): Promise<void> {
  const held = await tx.$queryRaw<{ key: string }[]>`
    SELECT key FROM slot WHERE operation_id = ${operation.id}::uuid ORDER BY key FOR UPDATE`;
  if (held.length === 0) return;
  const heir = await tx.operation.findFirst({
    where: { rootId: operation.rootId, id: { not: operation.id }, state: { in: ["running", "cancelling"] } },
    orderBy: { createdAt: "asc" },
    select: { id: true },
  });
  const keys = held.map(({ key }) => key);
  if (heir) {
    await tx.slot.updateMany({ where: { key: { in: keys } }, data: { operationId: heir.id } });
    return;
  }
  await tx.slot.deleteMany({ where: { key: { in: keys } } });
  await wakeWaiting(tx, keys);
}

/** Sends the operation that has waited longest, per pool, for each of these slots to its workers again. */
export async function wakeWaiting(tx: Tx, slotKeys: string[]): Promise<void> {
  for (const key of slotKeys) {
    const waited = key.startsWith("server:") ? key.replace(/#\d+$/, "") : key;
    const next = await tx.$queryRaw<{ id: string; pool: string }[]>`
      SELECT DISTINCT ON (pool) id::text, pool FROM operation
       WHERE waits_for = ${waited} AND state = 'queued'
       ORDER BY pool, created_at, id`;
    for (const { id, pool } of next) await enqueue(tx, { operationId: id, pool });
  }
}
