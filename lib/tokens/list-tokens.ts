import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { actorNames } from "../members/actor-names.ts";
import type { Page } from "../paging.ts";
import { NEWEST_FIRST, newestPage, olderThan } from "../paging.ts";
import type { TokenDto } from "./schema.ts";
import { listTokensQuery } from "./schema.ts";
import { toToken, WITH_OWNER } from "./token-dto.ts";

/** API tokens that were not revoked, newest first; those that don't work, too, so that they are seen. */
export async function listTokens(
  ctx: Ctx,
  input: z.input<typeof listTokensQuery> = {},
): Promise<Page<TokenDto>> {
  requirePermission(ctx, "token.write");
  const { cursor, limit, owner } = listTokensQuery.parse(input);
  const where = { revokedAt: null, ...(owner ? { ownerId: owner } : {}), ...olderThan(cursor) };
  const include = WITH_OWNER;
  const rows = await ctx.db.apiToken.findMany({ where, include, orderBy: NEWEST_FIRST, take: limit + 1 });
  const makers = rows.map((row) => row.createdBy);
  const nameOf = await actorNames(ctx.db, makers);
  return newestPage(rows, limit, (row) => toToken(row, nameOf, ctx.clock.now()));
}

/** Tokens of one member that were not revoked, newest first. */
export async function tokensOf(tx: Tx, ctx: Ctx, userId: string): Promise<TokenDto[]> {
  const rows = await tx.apiToken.findMany({
    where: { ownerId: userId, revokedAt: null },
    include: WITH_OWNER,
    orderBy: NEWEST_FIRST,
  });
  const makers = rows.map((row) => row.createdBy);
  const nameOf = await actorNames(tx, makers);
  return rows.map((row) => toToken(row, nameOf, ctx.clock.now()));
}
