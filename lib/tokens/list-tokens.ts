import { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { actorNames } from "../members/actor-names.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, pageQuery, toPage } from "../paging.ts";
import type { TokenDto } from "./schema.ts";
import { toToken } from "./token-dto.ts";

export const listTokensQuery = z.object(pageQuery);

/** API tokens that were not revoked, newest first; expired ones too, so that they are seen. */
export async function listTokens(
  ctx: Ctx,
  input: z.input<typeof listTokensQuery> = {},
): Promise<Page<TokenDto>> {
  requirePermission(ctx, "token.write");
  const { cursor, limit } = listTokensQuery.parse(input);
  const after = cursor ? decodeCursor(cursor) : null;
  const rows = await ctx.db.apiToken.findMany({
    where: {
      revokedAt: null,
      ...(after
        ? { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.id } }] }
        : {}),
    },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: limit + 1,
  });
  const nameOf = await actorNames(
    ctx.db,
    rows.map((row) => row.createdBy),
  );
  return toPage(
    rows,
    limit,
    (row) => ({ at: row.createdAt, id: row.id }),
    (row) => toToken(row, nameOf),
  );
}

/** Tokens of one creator that still work. */
export async function tokensCreatedBy(tx: Tx, userId: string): Promise<TokenDto[]> {
  const rows = await tx.apiToken.findMany({
    where: { createdBy: userId, revokedAt: null },
    orderBy: { createdAt: "desc" },
  });
  const nameOf = await actorNames(tx, [userId]);
  return rows.map((row) => toToken(row, nameOf));
}
