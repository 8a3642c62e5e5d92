import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { findPolicy, policyNameTaken } from "./find-policy.ts";
import { getPolicy } from "./get-policy.ts";
import { planPolicy } from "./plan-runs.ts";
import { type PolicyRow, sharedTime, timingOf } from "./policy-row.ts";
import { databaseIdsOf, destinationIdsOf, requireDue, requireSelection } from "./resolve-selection.ts";
import type { PolicyDto, UpdatePolicyInput } from "./schema.ts";
import { updatePolicyInput } from "./schema.ts";

type Given = ReturnType<typeof updatePolicyInput.parse>;

/**
 * Changes a policy; what is not given stays. A changed schedule counts from now. Throws `conflict` when it was
 * changed meanwhile or the name is taken, `refused` when it is archived, `invalid` as createPolicy does.
 */
export async function updatePolicy(ctx: Ctx, nameOrId: string, input: UpdatePolicyInput): Promise<PolicyDto> {
  const { id } = await findPolicy(ctx, ctx.db, nameOrId, "policy.write");
  const given = updatePolicyInput.parse(input);
  await ctx.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM policy WHERE id = ${id}::uuid FOR UPDATE`;
    const before = await findPolicy(ctx, tx, id, "policy.write");
    requireCurrent(before, given.version);
    // What was due until now was due to the policy as it has been until now.
    await planPolicy(tx, ctx, id, await sharedTime(tx));
    if (given.name && given.name !== before.name) {
      if (await tx.policy.findUnique({ where: { name: given.name } })) throw policyNameTaken(given.name);
    }
    await replaceMembers(tx, before, given);
    await tx.policy.update({ where: { id }, data: await columnsOf(tx, before, given) });
    const { version: _, ...changed } = given;
    await emitAudit(tx, ctx, {
      action: "policy.update",
      object: { kind: "policy", id, name: given.name ?? before.name },
      before: auditable(before, changed),
      after: changed,
    });
    await emitEvent(tx, "policies", id);
    await emitEvent(tx, "overview");
  });
  return await getPolicy(ctx, id);
}

function requireCurrent(before: PolicyRow, version: number): void {
  if (before.archivedAt) {
    throw new HoldfastError("refused", `${before.name} is archived.`, { remedy: "Make a new policy." });
  }
  if (before.version === version) return;
  throw new HoldfastError("conflict", "It was changed meanwhile.", {
    remedy: "Reload it, and make your changes again.",
  });
}

async function replaceMembers(tx: Tx, before: PolicyRow, given: Given): Promise<void> {
  const policyId = before.id;
  requireSelection(
    given.databases ?? before.databases.map(({ databaseId }) => databaseId),
    given.patterns ?? before.patterns,
  );
  if (given.databases) {
    const ids = await databaseIdsOf(tx, given.databases);
    await tx.policyDatabase.deleteMany({ where: { policyId } });
    await tx.policyDatabase.createMany({ data: ids.map((databaseId) => ({ policyId, databaseId })) });
  }
  if (given.destinations) {
    const ids = await destinationIdsOf(tx, given.destinations);
    await tx.policyDestination.deleteMany({ where: { policyId } });
    await tx.policyDestination.createMany({
      data: ids.map((destinationId) => ({ policyId, destinationId })),
    });
  }
}

async function columnsOf(tx: Tx, before: PolicyRow, given: Given): Promise<Prisma.PolicyUpdateInput> {
  const { version: _, databases: __, destinations: ___, ...columns } = given;
  const data: Prisma.PolicyUpdateInput = { version: { increment: 1 } };
  Object.assign(data, columns);
  if (!given.schedule && !given.zone && !given.blackouts) return data;
  const now = await sharedTime(tx);
  const was = timingOf(before);
  const timing = {
    schedule: given.schedule ?? was.schedule,
    zone: given.zone ?? was.zone,
    blackouts: given.blackouts ?? was.blackouts,
  };
  return { ...data, plannedUntil: now, nextDueAt: requireDue(timing, now) };
}

/** The old values of what was changed. */
function auditable(before: PolicyRow, changed: object): Record<string, unknown> {
  const old: Record<string, unknown> = {
    ...before,
    databases: before.databases.map(({ database }) => database.name),
    destinations: before.destinations.map(({ destination }) => destination.name),
  };
  return Object.fromEntries(Object.keys(changed).map((key) => [key, old[key]]));
}
