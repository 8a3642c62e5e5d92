import type { Ctx } from "../context.ts";
import type { SessionDto } from "../members/schema.ts";
import type { Page, PlainListQuery } from "../paging.ts";
import { NEWEST_FIRST, newestPage, olderThan, plainListQuery } from "../paging.ts";
import { requirePerson } from "./require-person.ts";
import { IDLE_MS } from "./resolve-session.ts";

/** One's own sessions that stand, newest sign-in first. */
export async function listSessions(ctx: Ctx, input: PlainListQuery = {}): Promise<Page<SessionDto>> {
  return await sessionsOf(ctx, requirePerson(ctx).id, input);
}

/** The sessions of a user that stand; the caller has checked who asks. */
export async function sessionsOf(ctx: Ctx, userId: string, input: PlainListQuery): Promise<Page<SessionDto>> {
  const { cursor, limit } = plainListQuery.parse(input);
  const now = ctx.clock.now();
  const idleSince = new Date(now.getTime() - IDLE_MS);
  const standing = { userId, revokedAt: null, expiresAt: { gt: now }, lastSeenAt: { gt: idleSince } };
  const where = { ...standing, ...olderThan(cursor) };
  const rows = await ctx.db.session.findMany({ where, orderBy: NEWEST_FIRST, take: limit + 1 });
  const current = ctx.actor.kind === "user" ? ctx.actor.sessionId : null;
  return newestPage(rows, limit, (row) => ({
    id: row.id,
    address: row.address,
    userAgent: row.userAgent,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    current: row.id === current,
  }));
}
