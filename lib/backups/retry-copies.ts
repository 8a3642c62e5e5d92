import type { Ctx } from "../context.ts";
import { backupInclude } from "./backup-item.ts";
import { runningCopies, startCopies } from "./copy-backup.ts";
import { copyBackupOperation } from "./operations/copy-backup.ts";

const ACTIVE = ["queued", "running", "cancelling"] as const;
/** Retries under way at once in the whole install: a destination that comes back must not drown in them. */
const MOST_AT_ONCE = 4;
const RETRY_LOCK = 7_201_531_003n;

/**
 * One pass over the copies that are due to be made again by themselves. Starts no more than a few at once; the
 * others wait for the next passes. Of several processes one does this at a time.
 */
export async function retryCopies(ctx: Ctx): Promise<void> {
  await ctx.db.$transaction(async (tx) => {
    const [lock] = await tx.$queryRaw<{ ours: boolean }[]>`
      SELECT pg_try_advisory_xact_lock(${RETRY_LOCK}) AS ours`;
    if (!lock?.ours) return;
    const kind = copyBackupOperation.kind;
    const active = await tx.operation.findMany({
      where: { kind, state: { in: [...ACTIVE] } },
      select: { backupId: true, trigger: true },
    });
    const room = MOST_AT_ONCE - active.filter(({ trigger }) => trigger === "retry").length;
    if (room <= 0) return;
    const busy = active.flatMap(({ backupId }) => backupId ?? []);
    const due = await tx.copy.findMany({
      where: {
        retryAt: { lte: ctx.clock.now() },
        state: "failed",
        destination: { archivedAt: null },
        backup: { state: "partial", id: { notIn: busy } },
      },
      orderBy: { retryAt: "asc" },
      distinct: ["backupId"],
      take: room,
      select: { backupId: true },
    });
    for (const { backupId } of due) {
      await tx.$queryRaw`SELECT 1 FROM backup WHERE id = ${backupId}::uuid FOR UPDATE`;
      // Somebody may have asked for it right before.
      if (await runningCopies(tx, backupId)) continue;
      const backup = await tx.backup.findUniqueOrThrow({ where: { id: backupId }, include: backupInclude });
      const targets = backup.copies
        .filter((copy) => copy.state === "failed" && copy.destination.archivedAt === null)
        .filter((copy) => copy.retryAt !== null && copy.retryAt <= ctx.clock.now());
      if (targets.length > 0) {
        await startCopies(
          tx,
          ctx,
          backup,
          targets.map((copy) => copy.destination),
          "retry",
        );
      }
    }
  });
}
