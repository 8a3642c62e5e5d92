import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { isId } from "../ids.ts";
import { requirePerson } from "./require-person.ts";

/** Ends one of one's own sessions; it is refused at its next request. Throws `not_found`. */
export async function revokeSession(ctx: Ctx, input: { session: string }): Promise<void> {
  await revokeSessionOf(ctx, requirePerson(ctx).id, input.session);
}

/** Ends one session of a user; the caller has checked who asks. */
export async function revokeSessionOf(ctx: Ctx, userId: string, sessionId: string): Promise<void> {
  if (!isId(sessionId)) throw gone();
  await ctx.db.$transaction(async (tx) => {
    const { count } = await tx.session.updateMany({
      where: { id: sessionId, userId, revokedAt: null },
      data: { revokedAt: ctx.clock.now() },
    });
    if (count === 0) throw gone();
    const user = await tx.user.findUniqueOrThrow({ where: { id: userId } });
    await emitAudit(tx, ctx, {
      action: "session.revoke",
      object: { kind: "session", id: sessionId, name: user.email },
    });
    await emitEvent(tx, "settings", userId);
  });
}

function gone(): HoldfastError {
  return new HoldfastError("not_found", "There is no such session, or it has ended.");
}
