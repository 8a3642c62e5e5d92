import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";

interface Limit {
  /** Tries that cost nothing but themselves. */
  free: number;
  /** Longest pause, in seconds. */
  cap: number;
}

/** An account is tried by hand, an address may be a whole office. */
const LIMITS = {
  account: { free: 5, cap: 900 },
  address: { free: 20, cap: 3600 },
} as const satisfies Record<string, Limit>;

/** Tries are forgotten after a day without one. */
export const FORGET_TRIES_MS = 24 * 3600_000;

export type ThrottleKind = keyof typeof LIMITS;
export interface ThrottleKey {
  kind: ThrottleKind;
  name: string;
}

const keyText = ({ kind, name }: ThrottleKey) => `${kind}:${name}`;

/**
 * Counts a try before it is made, so that many at once can't slip through, and throws `throttled` while the
 * key is blocked. From the first try past the free ones each blocks the key twice as long as the one before
 * (1 s, 2 s, 4 s … up to the cap). A blocked try is not counted.
 */
export async function countTry(ctx: Omit<Ctx, "actor">, key: ThrottleKey): Promise<void> {
  const now = ctx.clock.now();
  const forget = new Date(now.getTime() - FORGET_TRIES_MS);
  const { free, cap } = LIMITS[key.kind];
  const counted = await ctx.db.$queryRaw<unknown[]>`
    INSERT INTO login_throttle AS t (key, failures, blocked_until, updated_at)
    VALUES (${keyText(key)}, 1, NULL, ${now})
    ON CONFLICT (key) DO UPDATE SET
      failures = CASE WHEN t.updated_at < ${forget} THEN 1 ELSE t.failures + 1 END,
      blocked_until = CASE WHEN t.updated_at >= ${forget} AND t.failures + 1 > ${free}::int
        THEN ${now}::timestamptz + make_interval(secs => least(power(2, least(t.failures - ${free}::int, 30)), ${cap}::int))
        END,
      updated_at = ${now}
    WHERE t.blocked_until IS NULL OR t.blocked_until <= ${now}
    RETURNING t.failures`;
  if (counted.length > 0) return;
  const row = await ctx.db.loginThrottle.findUnique({ where: { key: keyText(key) } });
  const wait = Math.max(1, Math.ceil(((row?.blockedUntil?.getTime() ?? 0) - now.getTime()) / 1000));
  throw new HoldfastError("throttled", `Too many tries. The next one is possible in ${wait} s.`, {
    remedy: "Wait, then try again. An admin can reset your password.",
    retryAfter: wait,
  });
}

/** After a success: an account starts afresh; an address only gets this one try back. */
export async function forgiveTry(ctx: Omit<Ctx, "actor">, key: ThrottleKey): Promise<void> {
  if (key.kind === "account") {
    await ctx.db.loginThrottle.deleteMany({ where: { key: keyText(key) } });
    return;
  }
  await ctx.db.loginThrottle.updateMany({
    where: { key: keyText(key), failures: { gt: 0 } },
    data: { failures: { decrement: 1 }, blockedUntil: null },
  });
}
