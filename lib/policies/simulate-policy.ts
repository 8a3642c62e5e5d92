import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { newId } from "../ids.ts";
import { type Coverable, covers, databasesInUse, type Selection, visibleTo } from "./coverage.ts";
import { findPolicy } from "./find-policy.ts";
import { nextRuns, type Timing } from "./next-run.ts";
import { rulesOf, selectionOf, sharedTime, timingOf } from "./policy-row.ts";
import { databaseIdsOf } from "./resolve-selection.ts";
import { type Judged, judgedBackups } from "./retain-backups.ts";
import { rulesFor } from "./retain-rules.ts";
import { planDatabase, type Rules } from "./retention.ts";
import type { Simulation } from "./schema.ts";
import { simulatePolicyInput } from "./schema.ts";

const NEXT_RUNS = 5;

interface Plan {
  timing: Timing;
  selection: Selection;
  rules: Rules;
}

/** What a policy does next, if nothing changes: on the backups that there are. */
export async function simulatePolicy(ctx: Ctx, nameOrId: string): Promise<Simulation> {
  const row = await findPolicy(ctx, ctx.db, nameOrId, "read");
  return await simulate(ctx, {
    timing: timingOf(row),
    selection: selectionOf(row),
    rules: { ...rulesOf(row), paused: false },
  });
}

/** The same for a policy that is being edited, before it is saved. Throws `invalid` as createPolicy does. */
export async function simulateDraft(
  ctx: Ctx,
  input: z.input<typeof simulatePolicyInput>,
): Promise<Simulation> {
  requirePermission(ctx, "policy.write");
  const { policy, databases, patterns, retention, ...timing } = simulatePolicyInput.parse(input);
  const edited = policy ? await findPolicy(ctx, ctx.db, policy, "policy.write") : null;
  return await simulate(ctx, {
    timing,
    selection: { databaseIds: await databaseIdsOf(ctx.db, databases), patterns },
    rules: { id: edited?.id ?? newId(), retention, zone: timing.zone, paused: false },
  });
}

async function simulate(ctx: Ctx, plan: Plan): Promise<Simulation> {
  const covered = visibleTo(ctx, await databasesInUse(ctx.db)).filter((one) => covers(plan.selection, one));
  const databases: Simulation["databases"] = [];
  for (const database of covered) databases.push(await simulateDatabase(ctx, plan, database));
  const removed = databases.flatMap(({ remove }) => remove);
  return {
    nextRuns: nextRuns(plan.timing, ctx.clock.now(), NEXT_RUNS).map((at) => at.toISOString()),
    zone: plan.timing.zone,
    deletes: removed.length,
    keeps: databases.reduce((sum, { keep }) => sum + keep.length, 0),
    freesBytes: removed.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0),
    databases,
  };
}

/** Of the backups that this policy decides about; those of other policies are theirs. */
async function simulateDatabase(
  ctx: Ctx,
  { rules }: Plan,
  database: Coverable,
): Promise<Simulation["databases"][number]> {
  const others = (await rulesFor(ctx.db, database)).filter(({ id }) => id !== rules.id);
  const otherIds = new Set(others.map(({ id }) => id));
  const backups = await judgedBackups(ctx.db, database.id);
  const found = planDatabase([...others, rules], backups, await sharedTime(ctx.db));
  const mine = new Map(
    backups
      .filter(({ policyId }) => policyId === null || !otherIds.has(policyId))
      .map((backup) => [backup.id, backup]),
  );
  return {
    database: database.name,
    remove: found.remove.flatMap((id) => shown(mine.get(id))),
    keep: found.keep.flatMap(({ id, reasons }) => shown(mine.get(id)).map((one) => ({ ...one, reasons }))),
  };
}

function shown(backup: Judged | undefined) {
  if (!backup) return [];
  const { id, createdAt, sizeBytes, proven, pinned } = backup;
  return [{ id, createdAt: createdAt.toISOString(), sizeBytes, proven, pinned }];
}
