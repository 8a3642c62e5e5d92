import { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Page } from "../paging.ts";
import type { WorkerDto } from "./schema.ts";
import { workerSchema } from "./schema.ts";
import { LOST_AFTER_SECONDS } from "./worker-row.ts";

const MOST = 200;
const abilities = workerSchema.shape.abilities.catch({
  tools: {},
  sandboxes: [],
  isolation: "unknown",
  isolationDetail: "",
});
const rowSchema = workerSchema.extend({ abilities, startedAt: z.date(), heartbeatAt: z.date() });

/**
 * Workers that are up, and those that were lost or stopped within the last day, by pool and name. The database's
 * clock decides, so that it does not matter whose clock is wrong.
 */
export async function listWorkers(ctx: Ctx): Promise<Page<WorkerDto>> {
  requirePermission(ctx, "read");
  const rows = await ctx.db.$queryRaw<unknown[]>`
    SELECT w.id::text, w.name, w.pool, w.host, w.pid, w.version, w.abilities,
           w.started_at AS "startedAt", w.heartbeat_at AS "heartbeatAt",
           CASE WHEN w.stopped_at IS NOT NULL THEN 'stopped'
                WHEN w.heartbeat_at > now() - ${LOST_AFTER_SECONDS} * interval '1 second' THEN 'up'
                ELSE 'lost' END AS state,
           (SELECT count(*)::int FROM operation o
             WHERE o.state IN ('running', 'cancelling') AND o.worker_id = w.id) AS running
      FROM worker w
     WHERE w.heartbeat_at > now() - interval '1 day'
     ORDER BY (w.stopped_at IS NOT NULL), w.pool, w.name, w.started_at DESC LIMIT ${MOST}`;
  const items = rows.map((row) => {
    const worker = rowSchema.parse(row);
    return {
      ...worker,
      startedAt: worker.startedAt.toISOString(),
      heartbeatAt: worker.heartbeatAt.toISOString(),
    };
  });
  return { items, nextCursor: null };
}
