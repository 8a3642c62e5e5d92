import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";

/** Ends a user's sessions at once, but for one that may be kept. Returns how many there were. */
export async function endSessions(tx: Tx, ctx: Ctx, userId: string, keep?: string): Promise<number> {
  const { count } = await tx.session.updateMany({
    where: { userId, revokedAt: null, ...(keep ? { id: { not: keep } } : {}) },
    data: { revokedAt: ctx.clock.now() },
  });
  return count;
}
