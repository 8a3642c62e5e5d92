import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { isId } from "../ids.ts";

/** Makes an open invitation's link worthless. Throws `not_found` when it was accepted, revoked or never made. */
export async function revokeInvite(ctx: Ctx, input: { invite: string }): Promise<void> {
  requirePermission(ctx, "member.write");
  const { invite: id } = input;
  if (!isId(id)) throw gone();
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.invite.updateMany({
      where: { id, acceptedAt: null, revokedAt: null },
      data: { revokedAt: ctx.clock.now() },
    });
    if (count === 0) throw gone();
    const { email } = await tx.invite.findUniqueOrThrow({ where: { id } });
    await emitAudit(tx, ctx, { action: "invite.revoke", object: { kind: "invite", id, name: email } });
    await emitEvent(tx, "settings", id);
  });
}

function gone(): HoldfastError {
  return new HoldfastError("not_found", "There is no such open invitation.");
}
