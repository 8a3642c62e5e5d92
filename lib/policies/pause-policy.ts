import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { findPolicy } from "./find-policy.ts";
import { getPolicy } from "./get-policy.ts";
import { planPolicy } from "./plan-runs.ts";
import { sharedTime } from "./policy-row.ts";
import type { PolicyDto } from "./schema.ts";

/** Lets its due times pass, each recorded as skipped, until it is resumed; nothing it has made is deleted. */
export async function pausePolicy(ctx: Ctx, nameOrId: string): Promise<PolicyDto> {
  return await setPaused(ctx, nameOrId, true);
}

/** Runs at its next due time again. */
export async function resumePolicy(ctx: Ctx, nameOrId: string): Promise<PolicyDto> {
  return await setPaused(ctx, nameOrId, false);
}

async function setPaused(ctx: Ctx, nameOrId: string, paused: boolean): Promise<PolicyDto> {
  const { id, name } = await findPolicy(ctx, ctx.db, nameOrId, "policy.write");
  await ctx.db.$transaction(async (tx) => {
    await planUpToNow(tx, ctx, id);
    // The version stays: whoever edits the plan meanwhile edits nothing of this.
    const { count } = await tx.policy.updateMany({
      where: { id, archivedAt: null, pausedAt: paused ? null : { not: null } },
      data: paused
        ? { pausedAt: ctx.clock.now(), pausedBy: ctx.actor.name }
        : { pausedAt: null, pausedBy: null },
    });
    if (count === 0) {
      throw new HoldfastError(
        "conflict",
        `${name} is ${paused ? "paused already" : "not paused"}, or archived.`,
      );
    }
    await emitAudit(tx, ctx, {
      action: paused ? "policy.pause" : "policy.resume",
      object: { kind: "policy", id, name },
    });
    await emitEvent(tx, "policies", id);
    await emitEvent(tx, "overview");
  });
  return await getPolicy(ctx, id);
}

/** Ends a policy for good: it runs no more, and its backups stay until another policy or somebody deletes them. */
export async function archivePolicy(ctx: Ctx, nameOrId: string): Promise<PolicyDto> {
  const { id, name } = await findPolicy(ctx, ctx.db, nameOrId, "policy.write");
  await ctx.db.$transaction(async (tx) => {
    await planUpToNow(tx, ctx, id);
    const { count } = await tx.policy.updateMany({
      where: { id, archivedAt: null },
      data: { archivedAt: ctx.clock.now(), nextDueAt: null, version: { increment: 1 } },
    });
    if (count === 0) throw new HoldfastError("conflict", `${name} is archived already.`);
    await emitAudit(tx, ctx, { action: "policy.archive", object: { kind: "policy", id, name } });
    await emitEvent(tx, "policies", id);
    await emitEvent(tx, "overview");
  });
  return await getPolicy(ctx, id);
}

/** What was due until now was due to the policy as it has been until now. */
async function planUpToNow(tx: Tx, ctx: Ctx, id: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM policy WHERE id = ${id}::uuid FOR UPDATE`;
  await planPolicy(tx, ctx, id, await sharedTime(tx));
}
