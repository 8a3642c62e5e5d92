import type { Ctx } from "../context.ts";
import type { Prisma } from "../db/generated/client.ts";
import { type Coverable, covers, databasesInUse, isLimited, visibleTo } from "./coverage.ts";
import { nextRuns } from "./next-run.ts";
import { type PolicyRow, selectionOf, timingOf } from "./policy-row.ts";
import type { PolicyDto, PolicyRunItem } from "./schema.ts";
import { retentionSchema, verificationSchema } from "./schema.ts";

const NEXT_RUNS = 3;

export const runInclude = {
  policy: { select: { name: true } },
  items: { select: { state: true, databaseId: true } },
} as const satisfies Prisma.PolicyRunInclude;
type RunRow = Prisma.PolicyRunGetPayload<{ include: typeof runInclude }>;

/** Policies as they are shown: what they cover within the actor's limits, when they are due, how they last ran. */
export async function policyDtos(ctx: Ctx, rows: readonly PolicyRow[]): Promise<PolicyDto[]> {
  const databases = visibleTo(ctx, await databasesInUse(ctx.db));
  const sees = sightOf(ctx, databases);
  return await Promise.all(rows.map((row) => policyDto(ctx, row, databases, sees)));
}

/** Whether the actor may see what concerns a database; archived ones are seen by who sees all. */
export function sightOf(ctx: Ctx, visible: readonly { id: string }[]): Sight {
  if (!isLimited(ctx)) return () => true;
  const ids = new Set(visible.map(({ id }) => id));
  return (databaseId) => ids.has(databaseId);
}
type Sight = (databaseId: string) => boolean;

async function policyDto(
  ctx: Ctx,
  row: PolicyRow,
  databases: readonly Coverable[],
  sees: Sight,
): Promise<PolicyDto> {
  const selection = selectionOf(row);
  const timing = timingOf(row);
  const idle = row.pausedAt !== null || row.archivedAt !== null;
  const last = await ctx.db.policyRun.findFirst({
    where: { policyId: row.id },
    include: runInclude,
    orderBy: { dueAt: "desc" },
  });
  return {
    id: row.id,
    name: row.name,
    covers: databases.filter((database) => covers(selection, database)).map(({ name }) => name),
    databases: row.databases
      .filter(({ databaseId }) => sees(databaseId))
      .map(({ database }) => database.name)
      .sort(),
    patterns: row.patterns,
    destinations: row.destinations.map(({ destination }) => destination.name).sort(),
    ...timing,
    blackouts: [...timing.blackouts],
    jitterSeconds: row.jitterSeconds,
    missed: row.missed,
    retention: retentionSchema.parse(row.retention),
    verification: verificationSchema.parse(row.verification),
    pausedAt: row.pausedAt?.toISOString() ?? null,
    pausedBy: row.pausedBy,
    archivedAt: row.archivedAt?.toISOString() ?? null,
    nextRuns: idle ? [] : nextRuns(timing, ctx.clock.now(), NEXT_RUNS).map((at) => at.toISOString()),
    lastRun: last ? runItem(last, sees) : null,
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** A run in lists; it counts what the actor may see, and tells why only to who may see all of it. */
export function runItem(row: RunRow, sees: Sight): PolicyRunItem {
  const seen = row.items.filter(({ databaseId }) => sees(databaseId));
  return {
    id: row.id,
    policy: row.policy.name,
    dueAt: row.dueAt.toISOString(),
    state: row.state,
    reason: seen.length === row.items.length ? row.reason : null,
    trigger: row.trigger,
    actor: row.actorName,
    databases: seen.length,
    done: seen.filter(({ state }) => state === "succeeded").length,
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
