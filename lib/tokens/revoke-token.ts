import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { isId } from "../ids.ts";

/** Ends an API token, and the open invitations that were made with it, at once. Throws `not_found` when there is none or it was revoked before. */
export async function revokeToken(ctx: Ctx, input: { token: string }): Promise<void> {
  requirePermission(ctx, "token.write");
  const { token: id } = input;
  if (!isId(id)) throw gone();
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.apiToken.updateMany({
      where: { id, revokedAt: null },
      data: { revokedAt: ctx.clock.now() },
    });
    if (count === 0) throw gone();
    // A link that a leaked token made would outlive it.
    await tx.invite.updateMany({
      where: { invitedBy: id, acceptedAt: null, revokedAt: null },
      data: { revokedAt: ctx.clock.now() },
    });
    const { name } = await tx.apiToken.findUniqueOrThrow({ where: { id } });
    await emitAudit(tx, ctx, { action: "token.revoke", object: { kind: "token", id, name } });
    await emitEvent(tx, "settings", id);
  });
}

function gone(): HoldfastError {
  return new HoldfastError("not_found", "There is no such API token, or it was revoked.");
}
