import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { triggerOf } from "../databases/start-preflight.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { covers, databasesInUse } from "./coverage.ts";
import { findPolicy } from "./find-policy.ts";
import { getPolicyRun } from "./get-policy-run.ts";
import { type PolicyRow, selectionOf, sharedTime } from "./policy-row.ts";
import type { PolicyRunDto } from "./schema.ts";
import { startItem } from "./start-runs.ts";

/**
 * Backs up everything that a policy covers now, without waiting for its time, even while it is paused. Throws
 * `conflict` while a run of it is under way, `refused` when it is archived or covers nothing.
 */
export async function runPolicy(ctx: Ctx, nameOrId: string): Promise<PolicyRunDto> {
  const policy = await findPolicy(ctx, ctx.db, nameOrId, "policy.run");
  const { runId, databaseIds, now } = await ctx.db.$transaction((tx) => makeRun(tx, ctx, policy));
  // What is not started when this process ends, a worker starts.
  for (const databaseId of databaseIds) await startItem(ctx, { runId, databaseId }, now);
  return await getPolicyRun(ctx, policy.id, runId);
}

async function makeRun(tx: Tx, ctx: Ctx, policy: PolicyRow) {
  const { id: policyId, name } = policy;
  await tx.$queryRaw`SELECT 1 FROM policy WHERE id = ${policyId}::uuid FOR UPDATE`;
  if (policy.archivedAt) {
    throw new HoldfastError("refused", `${name} is archived.`, { remedy: "Make a new policy." });
  }
  const active = await tx.policyRun.findFirst({ where: { policyId, state: { in: ["due", "running"] } } });
  if (active) {
    throw new HoldfastError("conflict", `A run of ${name} is under way already.`, {
      remedy: `Follow it on its page (/policies/${name}).`,
    });
  }
  const selection = selectionOf(policy);
  const covered = (await databasesInUse(tx)).filter((database) => covers(selection, database));
  if (covered.length === 0) {
    throw new HoldfastError("refused", `${name} covers no database.`, {
      remedy: "Choose databases in the policy.",
    });
  }
  const now = await sharedTime(tx);
  const runId = newId();
  await tx.policyRun.create({
    data: {
      id: runId,
      policyId,
      dueAt: now,
      trigger: triggerOf(ctx),
      actorName: ctx.actor.name,
      createdAt: now,
      items: { create: covered.map(({ id: databaseId }) => ({ databaseId, startAt: now })) },
    },
  });
  await emitAudit(tx, ctx, {
    action: "policy.run",
    object: { kind: "policy", id: policyId, name },
    after: { runId, databases: covered.map((database) => database.name) },
  });
  await emitEvent(tx, "policies", policyId);
  return { runId, databaseIds: covered.map(({ id }) => id), now };
}
