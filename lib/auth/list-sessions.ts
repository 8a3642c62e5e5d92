import { z } from "zod";
import type { Ctx } from "../context.ts";
import type { SessionDto } from "../members/schema.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, pageQuery, toPage } from "../paging.ts";
import { requirePerson } from "./require-person.ts";
import { IDLE_MS } from "./resolve-session.ts";

export const listSessionsQuery = z.object(pageQuery);
export type ListSessionsQuery = z.input<typeof listSessionsQuery>;

/** One's own sessions that stand, newest sign-in first. */
export async function listSessions(ctx: Ctx, input: ListSessionsQuery = {}): Promise<Page<SessionDto>> {
  return await sessionsOf(ctx, requirePerson(ctx).id, input);
}

/** The sessions of a user that stand; the caller has checked who asks. */
export async function sessionsOf(
  ctx: Ctx,
  userId: string,
  input: ListSessionsQuery,
): Promise<Page<SessionDto>> {
  const { cursor, limit } = listSessionsQuery.parse(input);
  const now = ctx.clock.now();
  const after = cursor ? decodeCursor(cursor) : null;
  const rows = await ctx.db.session.findMany({
    where: {
      userId,
      revokedAt: null,
      expiresAt: { gt: now },
      lastSeenAt: { gt: new Date(now.getTime() - IDLE_MS) },
      ...(after
        ? { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.id } }] }
        : {}),
    },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: limit + 1,
  });
  const current = ctx.actor.kind === "user" ? ctx.actor.sessionId : null;
  return toPage(
    rows,
    limit,
    (row) => ({ at: row.createdAt, id: row.id }),
    (row) => ({
      id: row.id,
      address: row.address,
      userAgent: row.userAgent,
      createdAt: row.createdAt.toISOString(),
      lastSeenAt: row.lastSeenAt.toISOString(),
      expiresAt: row.expiresAt.toISOString(),
      current: row.id === current,
    }),
  );
}
