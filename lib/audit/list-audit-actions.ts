import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";

/** Every action that the log holds, by name: what a filter can choose from. It steps through the index of actions. */
export async function listAuditActions(ctx: Ctx): Promise<string[]> {
  requirePermission(ctx, "read");
  const rows = await ctx.db.$queryRaw<{ action: string }[]>`
    WITH RECURSIVE found AS (
      (SELECT action FROM audit_event ORDER BY action LIMIT 1)
      UNION ALL
      SELECT (SELECT e.action FROM audit_event e WHERE e.action > found.action ORDER BY e.action LIMIT 1)
      FROM found WHERE found.action IS NOT NULL)
    SELECT action FROM found WHERE action IS NOT NULL`;
  return rows.map(({ action }) => action);
}
