import { emitAudit } from "../audit/emit.ts";
import { endSessions } from "../auth/end-sessions.ts";
import { requirePermission } from "../auth/permissions.ts";
import { revokeSessionOf } from "../auth/revoke-session.ts";
import type { Ctx } from "../context.ts";
import { emitEvent } from "../events/emit.ts";
import { findMember } from "./find-member.ts";

/** Ends every session of a member at once. */
export async function revokeMemberSessions(
  ctx: Ctx,
  input: { member: string },
): Promise<{ revoked: number }> {
  requirePermission(ctx, "member.write");
  return await ctx.db.$transaction(async (tx) => {
    const user = await findMember(tx, input.member);
    const revoked = await endSessions(tx, ctx, user.id);
    await emitAudit(tx, ctx, {
      action: "session.revoke-all",
      object: { kind: "member", id: user.id, name: user.email },
      after: { revoked },
    });
    await emitEvent(tx, "settings", user.id);
    return { revoked };
  });
}

/** Ends one session of a member. Throws `not_found`. */
export async function revokeMemberSession(
  ctx: Ctx,
  input: { member: string; session: string },
): Promise<void> {
  requirePermission(ctx, "member.write");
  const user = await findMember(ctx.db, input.member);
  await revokeSessionOf(ctx, user.id, input.session);
}
