import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Page, PlainListQuery } from "../paging.ts";
import { NEWEST_FIRST, newestPage, olderThan, plainListQuery } from "../paging.ts";
import { actorNames } from "./actor-names.ts";
import { toInvite } from "./invite-dto.ts";
import type { InviteDto } from "./schema.ts";

/** Invitations that can still be accepted, newest first. */
export async function listInvites(ctx: Ctx, input: PlainListQuery = {}): Promise<Page<InviteDto>> {
  requirePermission(ctx, "member.read");
  const { cursor, limit } = plainListQuery.parse(input);
  const open = { acceptedAt: null, revokedAt: null, expiresAt: { gt: ctx.clock.now() } };
  const where = { ...open, ...olderThan(cursor) };
  const rows = await ctx.db.invite.findMany({ where, orderBy: NEWEST_FIRST, take: limit + 1 });
  const makers = rows.map((row) => row.invitedBy);
  const nameOf = await actorNames(ctx.db, makers);
  return newestPage(rows, limit, (row) => toInvite(row, nameOf));
}
