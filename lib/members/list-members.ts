import { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, pageQuery, toPage } from "../paging.ts";
import { toMember } from "./member-dto.ts";
import type { MemberDto } from "./schema.ts";

export const listMembersQuery = z.object(pageQuery);

/** Every account, newest first, disabled ones too. */
export async function listMembers(
  ctx: Ctx,
  input: z.input<typeof listMembersQuery> = {},
): Promise<Page<MemberDto>> {
  requirePermission(ctx, "member.read");
  const { cursor, limit } = listMembersQuery.parse(input);
  const after = cursor ? decodeCursor(cursor) : null;
  const rows = await ctx.db.user.findMany({
    where: after
      ? { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.id } }] }
      : {},
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: limit + 1,
  });
  return toPage(rows, limit, (row) => ({ at: row.createdAt, id: row.id }), toMember);
}
