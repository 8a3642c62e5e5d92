import type { z } from "zod";
import { backupInclude, backupItem } from "../backups/backup-item.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";
import { decodeCursor, type Page, toPage } from "../paging.ts";
import { databasesInUse, visibleTo } from "./coverage.ts";
import { findPolicy } from "./find-policy.ts";
import { runInclude, runItem, sightOf } from "./policy-dto.ts";
import type { PolicyRunDto, PolicyRunItem } from "./schema.ts";
import { listPolicyRunsQuery } from "./schema.ts";

/** One run of a policy with its databases and their backups, within the actor's limits. */
export async function getPolicyRun(ctx: Ctx, policy: string, runId: string): Promise<PolicyRunDto> {
  const { id: policyId } = await findPolicy(ctx, ctx.db, policy, "read");
  const row = isId(runId)
    ? await ctx.db.policyRun.findFirst({
        where: { id: runId, policyId },
        include: {
          ...runInclude,
          items: {
            include: { database: { select: { name: true } }, backup: { include: backupInclude } },
            orderBy: [{ startAt: "asc" }, { databaseId: "asc" }],
          },
        },
      })
    : null;
  if (!row) throw new HoldfastError("not_found", `This policy has no run ${runId.slice(0, 60)}.`);
  const sees = sightOf(ctx, visibleTo(ctx, await databasesInUse(ctx.db)));
  return {
    ...runItem(row, sees),
    items: row.items
      .filter(({ databaseId }) => sees(databaseId))
      .map(({ database, state, reason, startAt, verify, backup }) => ({
        database: database.name,
        state,
        reason,
        startAt: startAt.toISOString(),
        verify,
        backup: backup ? backupItem(backup) : null,
      })),
  };
}

/** Runs of a policy, the newest due time first: also those that were missed or skipped. */
export async function listPolicyRuns(
  ctx: Ctx,
  policy: string,
  input: z.input<typeof listPolicyRunsQuery>,
): Promise<Page<PolicyRunItem>> {
  const { id: policyId } = await findPolicy(ctx, ctx.db, policy, "read");
  const { cursor, limit, state } = listPolicyRunsQuery.parse(input);
  const after = cursor ? decodeCursor(cursor) : null;
  const rows = await ctx.db.policyRun.findMany({
    // Due times of one policy differ.
    where: { policyId, ...(state ? { state } : {}), ...(after ? { dueAt: { lt: after.at } } : {}) },
    include: runInclude,
    orderBy: { dueAt: "desc" },
    take: limit + 1,
  });
  const sees = sightOf(ctx, visibleTo(ctx, await databasesInUse(ctx.db)));
  return toPage(
    rows,
    limit,
    (row) => ({ at: row.dueAt, id: row.id }),
    (row) => runItem(row, sees),
  );
}
