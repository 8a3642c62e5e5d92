import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { LOST_AFTER_SECONDS } from "../workers/worker-row.ts";

/** Throws `unavailable` when no worker of the pool is up. The database's clock decides. */
export async function requireWorker(ctx: Pick<Ctx, "db">, pool: string): Promise<void> {
  const up = await ctx.db.$queryRaw<unknown[]>`
    SELECT 1 FROM worker
    WHERE pool = ${pool} AND stopped_at IS NULL
      AND heartbeat_at > now() - ${LOST_AFTER_SECONDS} * interval '1 second' LIMIT 1`;
  if (up.length > 0) return;
  throw new HoldfastError("unavailable", `No worker is running for the pool "${pool}".`, {
    remedy: `Start one near the database: HOLDFAST_POOL=${pool} npm run worker.`,
  });
}
