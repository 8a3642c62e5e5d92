import { createHash } from "node:crypto";
import { canonicalText } from "../audit/canonical.ts";
import { KEEP_ANSWERS_MS } from "../auth/tidy-up.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError, isHoldfastError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

export interface StoredAnswer {
  status: number;
  /** JSON text, or null for an answer without a body. */
  body: string | null;
}

interface Claimed {
  key: string;
  actorId: string;
}

/** The Idempotency-Key header, checked; null when there is none. */
export function idempotencyKey(headers: Headers): string | null {
  const key = headers.get("idempotency-key");
  if (key === null) return null;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new HoldfastError("invalid", "The Idempotency-Key is not right.", {
    fields: { "Idempotency-Key": "Use 1 to 255 visible ASCII characters without spaces." },
  });
}

/**
 * Runs `work` at most once per actor and key. The same request again gets the stored answer; another request
 * with the same key, or the same one with another role or limits, is `invalid`; one that is still at work, or whose process died, is a `conflict`. Only
 * successes are kept: after an error nothing was changed, so the key is free again. Answers are kept for 24 h,
 * sealed, because some hold a secret that is shown once.
 */
export async function once(
  runtime: Runtime,
  ctx: Ctx,
  request: { key: string; method: string; path: string; body: unknown },
  work: () => Promise<unknown>,
  toAnswer: (result: unknown) => StoredAnswer,
): Promise<StoredAnswer & { replayed: boolean }> {
  const { actor } = ctx;
  if (actor.kind === "system") return { ...toAnswer(await work()), replayed: false };
  const claimed = { key: request.key, actorId: actor.id };
  // Whoever may do less by now does not get the answer that they got then.
  const access = actor.kind === "schedule" ? null : [actor.role, actor.scope];
  const requestHash = createHash("sha256")
    .update(`${request.method} ${request.path}\n${canonicalText([request.body ?? null, access])}`)
    .digest("hex");
  const now = ctx.clock.now();
  // A key that is too old is free again, whether or not it was tidied up yet.
  const old = new Date(now.getTime() - KEEP_ANSWERS_MS);
  await ctx.db.idempotencyKey.deleteMany({ where: { ...claimed, createdAt: { lt: old } } });
  const { count } = await ctx.db.idempotencyKey.createMany({
    data: [{ ...claimed, requestHash, createdAt: now }],
    skipDuplicates: true,
  });
  if (count === 0) return { ...(await storedAnswer(runtime, ctx, claimed, requestHash)), replayed: true };
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    await ctx.db.idempotencyKey.deleteMany({ where: claimed });
    throw error;
  }
  const answer = toAnswer(result);
  const response = { sealed: runtime.keyring.seal(JSON.stringify(answer), aadOf(claimed)) };
  await ctx.db.idempotencyKey.updateMany({ where: claimed, data: { status: answer.status, response } });
  return { ...answer, replayed: false };
}

function aadOf({ key, actorId }: Claimed): string {
  return `idempotency:${actorId}:${key}`;
}

async function storedAnswer(
  runtime: Runtime,
  ctx: Ctx,
  claimed: Claimed,
  requestHash: string,
): Promise<StoredAnswer> {
  const row = await ctx.db.idempotencyKey.findFirst({ where: claimed });
  if (row && row.requestHash !== requestHash) {
    throw new HoldfastError("invalid", "This Idempotency-Key was used for another request.", {
      remedy: "Use a new key for each new request.",
      fields: { "Idempotency-Key": "used for another request" },
    });
  }
  const sealed = (row?.response as { sealed?: string } | null)?.sealed;
  if (!row || row.status === null || !sealed) {
    throw new HoldfastError(
      "conflict",
      "The first request with this Idempotency-Key has not been answered.",
      {
        remedy: "Wait and repeat it; if it stays so, look whether it was done, then use a new key.",
        retryAfter: 2,
      },
    );
  }
  try {
    return JSON.parse(runtime.keyring.open(sealed, aadOf(claimed))) as StoredAnswer;
  } catch (cause) {
    if (!isHoldfastError(cause)) throw cause;
    throw new HoldfastError("conflict", "This request was done; its answer can no longer be read.", {
      remedy: "Look at what it made; the keys of this install were changed since.",
      cause,
    });
  }
}
