import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import type { EnvironmentDto } from "./schema.ts";

/** The environments that the actor may see, first rung first; databases in use are counted within its limits. */
export async function listEnvironments(ctx: Ctx): Promise<EnvironmentDto[]> {
  requirePermission(ctx, "read");
  const { actor } = ctx;
  const limits = actor.kind === "user" || actor.kind === "token" ? actor.scope : null;
  const names = limits?.environments ?? [];
  const applications = limits?.applications ?? [];
  return await ctx.db.$queryRaw<EnvironmentDto[]>`
    SELECT v.id::text, v.name, v.position, v.protected, count(d.id)::int AS databases
    FROM environment v
    LEFT JOIN database d ON d.environment_id = v.id AND d.archived_at IS NULL
      ${applications.length > 0 ? Prisma.sql`AND d.application = ANY(${applications})` : Prisma.empty}
    ${names.length > 0 ? Prisma.sql`WHERE v.name = ANY(${names})` : Prisma.empty}
    GROUP BY v.id ORDER BY v.position, v.name`;
}
