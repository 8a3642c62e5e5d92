import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Prisma } from "../db/generated/client.ts";
import { isId } from "../ids.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, toPage } from "../paging.ts";
import { backupInclude, backupItem } from "./backup-item.ts";
import type { BackupItem } from "./schema.ts";
import { listBackupsQuery } from "./schema.ts";

type Query = z.output<typeof listBackupsQuery>;

/** Backups, newest first, within the actor's limits. Cost grows with the page, not with the backups. */
export async function listBackups(
  ctx: Ctx,
  input: z.input<typeof listBackupsQuery>,
): Promise<Page<BackupItem>> {
  requirePermission(ctx, "read");
  const query = listBackupsQuery.parse(input);
  const databaseIds = await databasesOf(ctx, query);
  if (databaseIds?.length === 0) return { items: [], nextCursor: null };
  const rows = await ctx.db.backup.findMany({
    where: { AND: conditions(query, databaseIds) },
    include: backupInclude,
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: query.limit + 1,
  });
  return toPage(rows, query.limit, (row) => ({ at: row.createdAt, id: row.id }), backupItem);
}

/** Ids to look for, or null for all: so that the backups' own indexes answer, without a join. */
async function databasesOf(ctx: Ctx, query: Query): Promise<string[] | null> {
  const { actor } = ctx;
  const scope = actor.kind === "user" || actor.kind === "token" ? actor.scope : null;
  const conditions: Prisma.DatabaseWhereInput[] = [];
  if (query.database) {
    conditions.push(isId(query.database) ? { id: query.database } : { name: query.database });
  }
  if (query.environment) conditions.push({ environment: { name: query.environment } });
  if (scope && scope.environments.length > 0) {
    conditions.push({ environment: { name: { in: scope.environments } } });
  }
  if (scope && scope.applications.length > 0) conditions.push({ application: { in: scope.applications } });
  if (conditions.length === 0) return null;
  const found = await ctx.db.database.findMany({ where: { AND: conditions }, select: { id: true } });
  return found.map((database) => database.id);
}

function conditions(query: Query, databaseIds: string[] | null): Prisma.BackupWhereInput[] {
  const [only] = databaseIds ?? [];
  const cursor = query.cursor ? decodeCursor(query.cursor) : null;
  return [
    ...(databaseIds === null
      ? []
      : [{ databaseId: databaseIds.length === 1 && only ? only : { in: databaseIds } }]),
    ...(query.state ? [{ state: query.state }] : []),
    ...(query.verdict ? [{ proofVerdict: query.verdict === "none" ? null : query.verdict }] : []),
    ...(query.policy ? [{ policy: isId(query.policy) ? { id: query.policy } : { name: query.policy } }] : []),
    ...(query.removed === "all" ? [] : [{ removingAt: query.removed === "yes" ? { not: null } : null }]),
    ...(query.from ? [{ createdAt: { gte: new Date(query.from) } }] : []),
    ...(query.to ? [{ createdAt: { lte: new Date(query.to) } }] : []),
    ...(cursor
      ? [
          // The first condition lets the index start at the cursor instead of at the newest row.
          { createdAt: { lte: cursor.at } },
          { OR: [{ createdAt: { lt: cursor.at } }, { id: { lt: cursor.id } }] },
        ]
      : []),
  ];
}
