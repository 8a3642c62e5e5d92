import { sessionsOf } from "../auth/list-sessions.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Page, PlainListQuery } from "../paging.ts";
import { findMember } from "./find-member.ts";
import type { SessionDto } from "./schema.ts";

/** A member's sessions that stand, newest sign-in first. */
export async function listMemberSessions(
  ctx: Ctx,
  input: PlainListQuery & { member: string },
): Promise<Page<SessionDto>> {
  requirePermission(ctx, "member.read");
  const { member, ...page } = input;
  const user = await findMember(ctx.db, member);
  return await sessionsOf(ctx, user.id, page);
}
