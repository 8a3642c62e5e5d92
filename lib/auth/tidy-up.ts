import { setTimeout as pause } from "node:timers/promises";
import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import { IDLE_MS } from "./resolve-session.ts";
import { FORGET_TRIES_MS } from "./throttle.ts";

const DAY_MS = 24 * 3600_000;
/** Ended sessions and closed invitations stay this long; the audit log tells of them for good. */
export const KEEP_ENDED_DAYS = 90;
/** Answers under an Idempotency-Key. */
export const KEEP_ANSWERS_MS = DAY_MS;

const EVERY_MS = 3600_000;
/** Rows that one statement removes, so that none holds locks for long. */
const BATCH = 1000;
/** What is left after this many waits for the next pass. */
const MOST_BATCHES = 50;

type TidyCtx = Pick<Ctx, "db" | "clock" | "log">;

/** Removes what is of no use any more. Returns how many rows of each table went. */
export async function tidyUp(ctx: TidyCtx): Promise<Record<string, number>> {
  const now = ctx.clock.now().getTime();
  const ended = new Date(now - KEEP_ENDED_DAYS * DAY_MS);
  const idle = new Date(ended.getTime() - IDLE_MS);
  return {
    session: await removeWhere(
      ctx,
      Prisma.sql`session`,
      Prisma.sql`revoked_at < ${ended} OR expires_at < ${ended} OR last_seen_at < ${idle}`,
    ),
    invite: await removeWhere(
      ctx,
      Prisma.sql`invite`,
      Prisma.sql`accepted_at < ${ended} OR revoked_at < ${ended} OR expires_at < ${ended}`,
    ),
    loginThrottle: await removeWhere(
      ctx,
      Prisma.sql`login_throttle`,
      Prisma.sql`updated_at < ${new Date(now - FORGET_TRIES_MS)}`,
    ),
    idempotencyKey: await removeWhere(
      ctx,
      Prisma.sql`idempotency_key`,
      Prisma.sql`created_at < ${new Date(now - KEEP_ANSWERS_MS)}`,
    ),
  };
}

async function removeWhere({ db }: TidyCtx, table: Prisma.Sql, where: Prisma.Sql): Promise<number> {
  let removed = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
    const count = await db.$executeRaw`
      DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE ${where} LIMIT ${BATCH}))
        AND (${where})`;
    removed += count;
    if (count < BATCH) break;
  }
  return removed;
}

/** Tidies up every hour until the signal aborts; each web process may, they don't disturb each other. */
export async function runTidyUp(ctx: TidyCtx, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const removed = await tidyUp(ctx);
      if (Object.values(removed).some((count) => count > 0)) ctx.log.debug({ removed }, "tidied up");
    } catch (error) {
      ctx.log.warn({ err: error }, "tidying up failed; it is tried again in an hour");
    }
    await pause(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
