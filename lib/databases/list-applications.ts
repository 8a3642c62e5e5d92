import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import type { ApplicationDto } from "./schema.ts";
import { scopeConditions } from "./select-databases.ts";

/** The applications that have a database within the actor's limits, by name. */
export async function listApplications(ctx: Ctx): Promise<ApplicationDto[]> {
  requirePermission(ctx, "read");
  const where = Prisma.join([Prisma.sql`d.archived_at IS NULL`, ...scopeConditions(ctx.actor)], " AND ");
  return await ctx.db.$queryRaw<ApplicationDto[]>`
    SELECT d.application AS name, count(*)::int AS databases
    FROM database d JOIN environment v ON v.id = d.environment_id
    WHERE ${where} GROUP BY d.application ORDER BY d.application COLLATE "C"`;
}
