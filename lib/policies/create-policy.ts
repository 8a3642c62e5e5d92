import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { policyNameTaken } from "./find-policy.ts";
import { getPolicy } from "./get-policy.ts";
import { sharedTime } from "./policy-row.ts";
import { databaseIdsOf, destinationIdsOf, requireDue, requireSelection } from "./resolve-selection.ts";
import type { CreatePolicyInput, PolicyDto } from "./schema.ts";
import { createPolicyInput } from "./schema.ts";

/**
 * Makes a policy; its first run is the first due time from now. Throws `invalid` for a schedule that is never due,
 * an unknown or archived database or destination, or none at all; `conflict` for a name that is taken.
 */
export async function createPolicy(ctx: Ctx, input: CreatePolicyInput): Promise<PolicyDto> {
  requirePermission(ctx, "policy.write");
  const given = createPolicyInput.parse(input);
  requireSelection(given.databases, given.patterns);
  const id = newId();
  await ctx.db.$transaction(async (tx) => {
    const now = await sharedTime(tx);
    const nextDueAt = requireDue(given, now);
    if (await tx.policy.findUnique({ where: { name: given.name } })) throw policyNameTaken(given.name);
    const databaseIds = await databaseIdsOf(tx, given.databases);
    const destinationIds = await destinationIdsOf(tx, given.destinations);
    await tx.policy.create({
      data: {
        id,
        name: given.name,
        patterns: given.patterns,
        schedule: given.schedule,
        zone: given.zone,
        blackouts: given.blackouts,
        jitterSeconds: given.jitterSeconds,
        missed: given.missed,
        retention: given.retention,
        verification: given.verification,
        plannedUntil: now,
        nextDueAt,
        createdAt: now,
        databases: { create: databaseIds.map((databaseId) => ({ databaseId })) },
        destinations: { create: destinationIds.map((destinationId) => ({ destinationId })) },
      },
    });
    await emitAudit(tx, ctx, {
      action: "policy.create",
      object: { kind: "policy", id, name: given.name },
      after: { ...given },
    });
    await emitEvent(tx, "policies", id);
    await emitEvent(tx, "overview");
  });
  return await getPolicy(ctx, id);
}
