import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Page, PlainListQuery } from "../paging.ts";
import { NEWEST_FIRST, newestPage, olderThan, plainListQuery } from "../paging.ts";
import { toMember } from "./member-dto.ts";
import type { MemberDto } from "./schema.ts";

/** Every account, newest first, disabled ones too. */
export async function listMembers(ctx: Ctx, input: PlainListQuery = {}): Promise<Page<MemberDto>> {
  requirePermission(ctx, "member.read");
  const { cursor, limit } = plainListQuery.parse(input);
  const where = olderThan(cursor);
  const rows = await ctx.db.user.findMany({ where, orderBy: NEWEST_FIRST, take: limit + 1 });
  return newestPage(rows, limit, toMember);
}
