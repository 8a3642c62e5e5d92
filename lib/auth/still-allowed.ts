import type { Ctx } from "../context.ts";
import { tokenRole, tokenState, WITH_OWNER } from "../tokens/token-dto.ts";
import { resolveSession } from "./resolve-session.ts";

/**
 * Whether the actor of a long answer may still have it: the session or token is valid, and neither the role nor
 * the limits have changed since. Asked of the database each time.
 */
export async function stillAllowed(ctx: Ctx): Promise<boolean> {
  const { actor } = ctx;
  if (actor.kind === "user") {
    const resolved = await resolveSession(ctx, actor.sessionId, { use: false });
    return resolved !== null && same(resolved.ctx.actor, actor);
  }
  if (actor.kind === "token") {
    const row = await ctx.db.apiToken.findUnique({ where: { id: actor.id }, include: WITH_OWNER });
    if (!row || row.revokedAt || tokenState(row, ctx.clock.now()) !== "works") return false;
    const scope = { environments: row.scopeEnvironments, applications: row.scopeApplications };
    return same({ role: tokenRole(row), scope }, actor);
  }
  return true;
}

function same(a: object, b: object): boolean {
  const { role, scope } = a as { role?: unknown; scope?: unknown };
  const other = b as { role?: unknown; scope?: unknown };
  return role === other.role && JSON.stringify(scope) === JSON.stringify(other.scope);
}
