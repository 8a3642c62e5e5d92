import type { Ctx } from "../context.ts";
import { covers, databasesInUse, isLimited, visibleTo } from "./coverage.ts";
import { selectionOf } from "./policy-row.ts";

export interface PolicyStanding {
  name: string;
  pausedAt: Date | null;
  pausedBy: string | null;
  /** The newest run that has ended, or that nothing ran; its reason is told to who sees all databases. */
  last: { state: string; reason: string | null; dueAt: Date } | null;
}

/** How each policy in use stands, by name: those that cover something within the actor's limits. */
export async function policyStandings(ctx: Ctx): Promise<PolicyStanding[]> {
  const limited = isLimited(ctx);
  const visible = limited ? visibleTo(ctx, await databasesInUse(ctx.db)) : [];
  const rows = await ctx.db.policy.findMany({
    where: { archivedAt: null },
    select: {
      name: true,
      pausedAt: true,
      pausedBy: true,
      patterns: true,
      databases: { select: { databaseId: true } },
      runs: {
        where: { finishedAt: { not: null } },
        orderBy: { dueAt: "desc" },
        take: 1,
        select: { state: true, reason: true, dueAt: true },
      },
    },
    orderBy: { name: "asc" },
  });
  return rows
    .filter((row) => !limited || visible.some((database) => covers(selectionOf(row), database)))
    .map(({ name, pausedAt, pausedBy, runs: [last] }) => ({
      name,
      pausedAt,
      pausedBy,
      last: last ? { ...last, reason: limited ? null : last.reason } : null,
    }));
}
