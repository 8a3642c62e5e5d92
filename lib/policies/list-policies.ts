import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { NEWEST_FIRST, newestPage, olderThan, type Page } from "../paging.ts";
import { covers, databasesInUse, isLimited, visibleTo } from "./coverage.ts";
import { policyDtos } from "./policy-dto.ts";
import { policyInclude, selectionOf } from "./policy-row.ts";
import type { PolicyDto, Uncovered } from "./schema.ts";
import { listPoliciesQuery } from "./schema.ts";

/** Policies, newest first: those that cover something within the actor's limits. */
export async function listPolicies(
  ctx: Ctx,
  input: z.input<typeof listPoliciesQuery>,
): Promise<Page<PolicyDto>> {
  requirePermission(ctx, "read");
  const { cursor, limit, archived } = listPoliciesQuery.parse(input);
  const rows = await ctx.db.policy.findMany({
    where: { archivedAt: archived === "yes" ? { not: null } : null, ...olderThan(cursor) },
    include: policyInclude,
    orderBy: NEWEST_FIRST,
    take: limit + 1,
  });
  const page = newestPage(rows, limit, (row) => row);
  const items = await policyDtos(ctx, page.items);
  return {
    items: isLimited(ctx) ? items.filter((policy) => policy.covers.length > 0) : items,
    nextCursor: page.nextCursor,
  };
}

/** Databases in use that no policy covers, within the actor's limits, by name. */
export async function listUncovered(ctx: Ctx): Promise<Uncovered[]> {
  requirePermission(ctx, "read");
  const rows = await ctx.db.policy.findMany({
    where: { archivedAt: null },
    select: { patterns: true, databases: { select: { databaseId: true } } },
  });
  const selections = rows.map(selectionOf);
  return visibleTo(ctx, await databasesInUse(ctx.db))
    .filter((database) => !selections.some((selection) => covers(selection, database)))
    .map(({ id, name, environment }) => ({ id, name, environment: environment.name }));
}
