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
      id: true,
      name: true,
      pausedAt: true,
      pausedBy: true,
      patterns: true,
      databases: { select: { databaseId: true } },
    },
    orderBy: { name: "asc" },
  });
  const lasts = await ctx.db.$queryRaw<{ id: string; state: string; reason: string | null; dueAt: Date }[]>`
    SELECT p.id::text, r.state, r.reason, r.due_at AS "dueAt" FROM policy p CROSS JOIN LATERAL (
      SELECT state::text, reason, due_at FROM policy_run WHERE policy_id = p.id AND finished_at IS NOT NULL
      ORDER BY due_at DESC LIMIT 1) r
    WHERE p.archived_at IS NULL`;
  const lastOf = new Map(lasts.map(({ id, ...last }) => [id, last]));
  return rows
    .filter((row) => !limited || visible.some((database) => covers(selectionOf(row), database)))
    .map(({ id, name, pausedAt, pausedBy }) => {
      const last = lastOf.get(id);
      return {
        name,
        pausedAt,
        pausedBy,
        last: last ? { ...last, reason: limited ? null : last.reason } : null,
      };
    });
}
