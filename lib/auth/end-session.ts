import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";

/** Ends the session that `ctx` acts in (sign-out). Does nothing when it has ended already. */
export async function endOwnSession(ctx: Ctx): Promise<void> {
  const { actor } = ctx;
  if (actor.kind !== "user") return;
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.session.updateMany({
      where: { id: actor.sessionId, revokedAt: null },
      data: { revokedAt: ctx.clock.now() },
    });
    if (count === 0) return;
    await emitAudit(tx, ctx, {
      action: "session.end",
      object: { kind: "session", id: actor.sessionId, name: actor.name },
    });
  });
}
