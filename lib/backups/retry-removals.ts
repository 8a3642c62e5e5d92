import type { Ctx } from "../context.ts";
import { startRemoval } from "./mark-removing.ts";

/** Backups of one pass; a destination that comes back has them all deleted by and by. */
const MOST_PER_PASS = 200;
const RETRY_LOCK = 7_201_531_004n;

/** One pass over backups whose objects a destination has kept. Of several processes one does this at a time. */
export async function retryRemovals(ctx: Ctx): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    const [lock] = await tx.$queryRaw<{ ours: boolean }[]>`
      SELECT pg_try_advisory_xact_lock(${RETRY_LOCK}) AS ours`;
    if (!lock?.ours) return;
    const due = await tx.backup.findMany({
      where: { removalRetryAt: { lte: ctx.clock.now() }, removingAt: { not: null }, removedAt: null },
      select: { id: true, database: { select: { id: true, name: true, pool: true } } },
      orderBy: { removalRetryAt: "asc" },
      take: MOST_PER_PASS,
    });
    for (const backups of Map.groupBy(due, ({ database }) => database.id).values()) {
      const ids = backups.map(({ id }) => id);
      const [first] = backups;
      if (!first) continue;
      await tx.backup.updateMany({ where: { id: { in: ids } }, data: { removalRetryAt: null } });
      await startRemoval(tx, ctx, first.database, ids, "retry");
    }
  });
}
