import type { Db } from "../db/client.ts";

export interface Renewal {
  operationId: string;
  attempt: number;
}

export type LeaseState = "held" | "cancelling" | "lost";

/**
 * Renews the leases of these attempts and of their slots, and tells how each stands. A row that another
 * transaction of this worker has locked is left for the next time and counts as held.
 */
export async function renewLeases(
  db: Db,
  workerId: string,
  leaseMs: number,
  attempts: readonly Renewal[],
): Promise<{ renewed: Set<string>; states: Map<string, LeaseState> }> {
  const ids = attempts.map(({ operationId }) => operationId);
  const renewedRows = await db.$queryRaw<{ id: string }[]>`
    WITH wanted AS (
      SELECT * FROM unnest(${ids}::uuid[], ${attempts.map(({ attempt }) => attempt)}::int[]) AS w (id, attempt)
    ), mine AS (
      SELECT o.id FROM operation o JOIN wanted w ON w.id = o.id AND w.attempt = o.attempt
       WHERE o.worker_id = ${workerId}::uuid AND o.state IN ('running', 'cancelling')
         FOR NO KEY UPDATE OF o SKIP LOCKED
    ), held AS (
      SELECT s.key FROM slot s JOIN mine m ON m.id = s.operation_id FOR NO KEY UPDATE OF s SKIP LOCKED
    ), slots AS (
      UPDATE slot s SET lease_until = now() + ${leaseMs} * interval '1 millisecond'
        FROM held h WHERE s.key = h.key RETURNING 1
    )
    UPDATE operation o SET lease_until = now() + ${leaseMs} * interval '1 millisecond'
      FROM mine m WHERE o.id = m.id RETURNING o.id::text`;
  const rows = await db.operation.findMany({
    where: { id: { in: ids } },
    select: { id: true, attempt: true, workerId: true, state: true },
  });
  const found = new Map(rows.map((row) => [row.id, row]));
  const states = new Map<string, LeaseState>();
  for (const { operationId, attempt } of attempts) {
    const row = found.get(operationId);
    const ours = row !== undefined && row.attempt === attempt && row.workerId === workerId;
    if (ours && row.state === "running") states.set(operationId, "held");
    else if (ours && row.state === "cancelling") states.set(operationId, "cancelling");
    else states.set(operationId, "lost");
  }
  return { renewed: new Set(renewedRows.map(({ id }) => id)), states };
}
