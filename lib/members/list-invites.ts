import { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, pageQuery, toPage } from "../paging.ts";
import { actorNames } from "./actor-names.ts";
import { toInvite } from "./invite-dto.ts";
import type { InviteDto } from "./schema.ts";

export const listInvitesQuery = z.object(pageQuery);

/** Invitations that can still be accepted, newest first. */
export async function listInvites(
  ctx: Ctx,
  input: z.input<typeof listInvitesQuery> = {},
): Promise<Page<InviteDto>> {
  requirePermission(ctx, "member.read");
  const { cursor, limit } = listInvitesQuery.parse(input);
  const after = cursor ? decodeCursor(cursor) : null;
  const rows = await ctx.db.invite.findMany({
    where: {
      acceptedAt: null,
      revokedAt: null,
      expiresAt: { gt: ctx.clock.now() },
      ...(after
        ? { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.id } }] }
        : {}),
    },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: limit + 1,
  });
  const nameOf = await actorNames(
    ctx.db,
    rows.map((row) => row.invitedBy),
  );
  return toPage(
    rows,
    limit,
    (row) => ({ at: row.createdAt, id: row.id }),
    (row) => toInvite(row, nameOf),
  );
}
