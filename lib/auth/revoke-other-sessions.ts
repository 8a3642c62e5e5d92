import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { emitEvent } from "../events/emit.ts";
import { endSessions } from "./end-sessions.ts";
import { requirePerson } from "./require-person.ts";

/** Ends all of one's own sessions but this one. */
export async function revokeOtherSessions(ctx: Ctx): Promise<{ revoked: number }> {
  const actor = requirePerson(ctx);
  return await ctx.db.$transaction(async (tx) => {
    const revoked = await endSessions(tx, ctx, actor.id, actor.sessionId);
    await emitAudit(tx, ctx, {
      action: "session.revoke-others",
      object: { kind: "member", id: actor.id, name: actor.name },
      after: { revoked },
    });
    await emitEvent(tx, "settings", actor.id);
    return { revoked };
  });
}
