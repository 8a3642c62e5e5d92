import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { messageOf } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { plural } from "../format.ts";
import { retainBackups } from "./retain-backups.ts";

/** Reasons that a run repeats of its databases. */
const MOST_REASONS = 3;

interface EndedItem {
  runId: string;
  databaseId: string;
  backupId: string;
  policyId: string;
  verify: boolean;
  state: string;
  reason: string | null;
  verdict: string | null;
  verdictReason: string | null;
}

/** Writes down how backups of policies have ended, lets the retention act on what is proven, and ends runs. */
export async function settleRuns(ctx: Ctx, now: Date): Promise<void> {
  for (const item of await endedItems(ctx)) {
    try {
      const good = await ctx.db.$transaction((tx) => settleItem(tx, item, now));
      // What is written down of the run does not hang on the deletion of others.
      const of = { databaseId: item.databaseId, made: item.backupId };
      if (good) await ctx.db.$transaction((tx) => retainBackups(tx, ctx, of, now));
    } catch (error) {
      ctx.log.warn({ ...item, err: messageOf(error) }, "a policy's backup could not be settled");
    }
  }
  const over = await ctx.db.policyRun.findMany({
    where: { state: { in: ["due", "running"] }, items: { none: { state: { in: ["waiting", "started"] } } } },
    select: { id: true },
  });
  for (const { id } of over) await ctx.db.$transaction((tx) => settleRun(tx, ctx, id, now));
}

/** A backup that is to be proven has ended with its proof; that follows in the transaction of the backup's end. */
async function endedItems(ctx: Ctx): Promise<EndedItem[]> {
  return await ctx.db.$queryRaw<EndedItem[]>`
    SELECT i.run_id::text AS "runId", i.database_id::text AS "databaseId", b.id::text AS "backupId", r.policy_id::text AS "policyId", i.verify,
      b.state::text AS state, b.reason, b.proof_verdict::text AS verdict, b.proof_reason AS "verdictReason"
    FROM policy_run_item i JOIN policy_run r ON r.id = i.run_id JOIN backup b ON b.id = i.backup_id
    WHERE i.state = 'started' AND b.state <> 'running' AND NOT EXISTS (
      SELECT 1 FROM operation o WHERE o.backup_id = b.id AND o.kind = 'backup.verify'
        AND o.state IN ('queued', 'running', 'cancelling'))
    ORDER BY b.created_at`;
}

/** Returns whether it went as asked, and it was this worker who found out. */
async function settleItem(tx: Tx, item: EndedItem, now: Date): Promise<boolean> {
  const fault = faultOf(item);
  const { count } = await tx.policyRunItem.updateMany({
    where: { runId: item.runId, databaseId: item.databaseId, state: "started" },
    data: { state: fault === null ? "succeeded" : "failed", reason: fault, finishedAt: now },
  });
  // Another worker was first.
  if (count === 0) return false;
  await emitEvent(tx, "policies", item.policyId);
  return fault === null;
}

/** What keeps it from being what the policy asks for, as a sentence. */
function faultOf({ state, reason, verify, verdict, verdictReason }: EndedItem): string | null {
  if (state === "partial") return `A copy is missing. ${reason ?? ""}`.trim();
  if (state !== "complete") return reason ?? `The backup ${state}.`;
  if (!verify || verdict === "proven") return null;
  return verdict === null
    ? "Its proof did not come to an end."
    : (verdictReason ?? `Its proof is ${verdict}.`);
}

async function settleRun(tx: Tx, ctx: Ctx, runId: string, now: Date): Promise<void> {
  const run = await tx.policyRun.findUniqueOrThrow({
    where: { id: runId },
    include: {
      policy: true,
      items: { include: { database: { select: { name: true } } }, orderBy: { startAt: "asc" } },
    },
  });
  const { state, reason } = outcomeOf(run.items);
  const { count } = await tx.policyRun.updateMany({
    where: { id: runId, state: { in: ["due", "running"] } },
    data: { state, reason, finishedAt: now },
  });
  if (count === 0) return;
  const { policy } = run;
  await emitAudit(
    tx,
    { ...ctx, actor: { kind: "schedule", id: policy.id, name: policy.name } },
    {
      action: "policy.finish",
      object: { kind: "policy", id: policy.id, name: policy.name },
      after: { runId, dueAt: run.dueAt.toISOString(), trigger: run.trigger, state, reason },
    },
  );
  await emitEvent(tx, "policies", policy.id);
  await emitEvent(tx, "overview");
}

interface Settled {
  state: string;
  reason: string | null;
  database: { name: string };
}

function outcomeOf(items: readonly Settled[]): { state: "succeeded" | "failed" | "skipped"; reason: string } {
  const all = plural(items.length, "database");
  const bad = items.filter(({ state }) => state !== "succeeded");
  if (items.length === 0) return { state: "skipped", reason: "The policy covers no database." };
  if (bad.length === 0) return { state: "succeeded", reason: `${all} backed up` };
  const told = bad
    .slice(0, MOST_REASONS)
    .map(({ database, reason }) => `${database.name}: ${reason ?? "failed."}`);
  const more = bad.length > MOST_REASONS ? ` And ${bad.length - MOST_REASONS} more.` : "";
  const skipped = bad.length === items.length && bad.every(({ state }) => state === "skipped");
  return {
    state: skipped ? "skipped" : "failed",
    reason: `${bad.length} of ${all} not as asked. ${told.join(" ")}${more}`,
  };
}
