import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { checkChain } from "./check-chain.ts";
import type { AuditVerification } from "./schema.ts";

/** A check whose process was lost keeps others off this long. */
const HOLD_MS = 60_000;
const RENEW_MS = 15_000;
/** After a check there is rest for as long as it took, within these bounds: checks fill half the time at most. */
const LEAST_REST_MS = 5_000;
const LONGEST_REST_MS = 600_000;

/**
 * Checks the whole audit chain. It reads every event, so one check at a time runs in the install, and a rest
 * follows; throws `throttled` with the seconds until the next may begin.
 */
export async function verifyAudit(
  ctx: Ctx,
  options: { signal?: AbortSignal } = {},
): Promise<AuditVerification> {
  requirePermission(ctx, "read");
  const { auditKey } = await processKeyring();
  await begin(ctx);
  const began = ctx.clock.now().getTime();
  let renewed = began;
  const onPage = async () => {
    const now = ctx.clock.now().getTime();
    if (now - renewed < RENEW_MS) return;
    renewed = now;
    await keepOff(ctx, now + HOLD_MS);
  };
  try {
    return await checkChain(ctx.db, { auditKey, signal: options.signal, onPage });
  } finally {
    const now = ctx.clock.now().getTime();
    await keepOff(ctx, now + Math.min(LONGEST_REST_MS, Math.max(LEAST_REST_MS, now - began)));
  }
}

/** Conditional update: of several at once, one begins. */
async function begin(ctx: Ctx): Promise<void> {
  const now = ctx.clock.now();
  const { count } = await ctx.db.install.updateMany({
    where: { OR: [{ auditCheckAfter: null }, { auditCheckAfter: { lte: now } }] },
    data: { auditCheckAfter: new Date(now.getTime() + HOLD_MS) },
  });
  if (count > 0) return;
  const after = (await ctx.db.install.findFirst())?.auditCheckAfter ?? now;
  const wait = Math.max(1, Math.ceil((after.getTime() - now.getTime()) / 1000));
  throw new HoldfastError(
    "throttled",
    `The audit chain is being checked, or was a moment ago. Ask again in ${wait} s.`,
    {
      remedy: "One check runs at a time: it reads every event, and the console has to stay quick meanwhile.",
      retryAfter: wait,
    },
  );
}

async function keepOff(ctx: Ctx, until: number): Promise<void> {
  await ctx.db.install.updateMany({ data: { auditCheckAfter: new Date(until) } });
}
