import type { Ctx } from "../context.ts";
import { resolveSession } from "./resolve-session.ts";

/**
 * Whether the session or token that opened a long-lived stream is still good and has the same role; asked at
 * each heartbeat, so that revoking one closes its streams.
 */
export async function stillStands(ctx: Ctx): Promise<boolean> {
  const { actor } = ctx;
  if (actor.kind === "user") {
    const session = await resolveSession(ctx, actor.sessionId);
    return session !== null && session.ctx.actor.kind === "user" && session.ctx.actor.role === actor.role;
  }
  if (actor.kind === "token") {
    const now = ctx.clock.now();
    const found = await ctx.db.apiToken.count({
      where: { id: actor.id, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] },
    });
    return found === 1;
  }
  return true;
}
