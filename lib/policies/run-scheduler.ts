import type { Ctx } from "../context.ts";
import { planRuns } from "./plan-runs.ts";
import { sharedTime } from "./policy-row.ts";
import { settleRuns } from "./settle-runs.ts";
import { startDue } from "./start-runs.ts";

/** One pass: what has become due is recorded and started, what has ended is written down. In every worker. */
export async function runScheduler(ctx: Ctx): Promise<void> {
  const now = await sharedTime(ctx.db);
  await planRuns(ctx, now);
  await startDue(ctx, now);
  await settleRuns(ctx, now);
}
