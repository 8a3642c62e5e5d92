import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Assessed } from "../databases/database-row.ts";
import { selectDatabases } from "../databases/select-databases.ts";
import type { Db } from "../db/client.ts";
import { Prisma } from "../db/generated/client.ts";
import { readRecoveryKits } from "../secrets/recovery-kits.ts";
import { LOST_AFTER_SECONDS } from "../workers/worker-row.ts";
import type { AttentionFacts, DamagedCopies, LackingCopy } from "./attention.ts";
import { attentionOf } from "./attention.ts";
import { factsOf, findingOf } from "./finding.ts";
import { policyFacts } from "./policy-facts.ts";
import { activeOperations } from "./running.ts";
import type { Overview } from "./schema.ts";
import { overviewQuery } from "./schema.ts";
import { lastDay } from "./strip.ts";

/** The state of everything in the actor's limits, or of one environment of it, in one read. */
export async function getOverview(ctx: Ctx, input: z.input<typeof overviewQuery>): Promise<Overview> {
  requirePermission(ctx, "read");
  const { environment } = overviewQuery.parse(input);
  const inEnvironment = environment ? [Prisma.sql`v.name = ${environment}`] : [];
  const [databases, running, strip, pools, kit, damaged, destinations] = await Promise.all([
    selectDatabases(ctx, [Prisma.sql`d.archived_at IS NULL`, ...inEnvironment]),
    activeOperations(ctx, environment),
    lastDay(ctx, environment),
    workerPools(ctx.db),
    kitState(ctx.db),
    damagedCopies(ctx.db),
    failingDestinations(ctx.db),
  ]);
  const lacking = await lackingCopies(ctx.db, databases);
  const plans = await policyFacts(ctx, databases, environment);
  // Of one environment it is told where it shows in a cell.
  const kitConcerns = !environment || databases.some(({ row }) => row.provenId !== null);
  const workers = [...pools.values()].reduce((sum, count) => sum + count, 0);
  const toCopy = new Set([...damaged, ...lacking].map(({ databaseId }) => databaseId));
  const attention = attentionOf({
    databases,
    damaged,
    lacking,
    destinations: environment ? [] : destinations,
    idlePools: idlePools(databases, pools),
    workers,
    kit: kitConcerns ? kit : "confirmed",
    plans,
  });
  return {
    finding: findingOf(databases, kitConcerns && kit !== "confirmed", toCopy),
    facts: databases.length > 0 ? factsOf(databases, workers) : [],
    counts: {
      databases: databases.length,
      recoverable: databases.filter((one) => one.restorable).length,
      attention: attention.length,
      running: running.count,
    },
    attention,
    databases: databases.map((one) => one.item),
    running: running.items,
    strip,
    workers,
  };
}

/** How many workers are up, by pool. */
async function workerPools(db: Db): Promise<Map<string, number>> {
  const rows = await db.$queryRaw<{ pool: string; count: number }[]>`
    SELECT pool, count(*)::int AS count FROM worker
    WHERE stopped_at IS NULL AND heartbeat_at > now() - ${LOST_AFTER_SECONDS} * interval '1 second'
    GROUP BY pool`;
  return new Map(rows.map((row) => [row.pool, row.count]));
}

function idlePools(databases: Assessed[], pools: Map<string, number>): string[] {
  return [...new Set(databases.map((one) => one.item.pool))].filter((pool) => !pools.has(pool)).sort();
}

async function kitState(db: Db): Promise<AttentionFacts["kit"]> {
  if (process.env.HOLDFAST_ENCRYPTION === "off") return "confirmed";
  const inUse = (await readRecoveryKits(db)).filter((kit) => kit.replacedAt === null);
  if (inUse.some((kit) => kit.confirmedAt !== null)) return "confirmed";
  return inUse.length > 0 ? "unconfirmed" : "none";
}

/** Databases with copies that were found missing or altered, each with the newest backup that has one. */
async function damagedCopies(db: Db): Promise<DamagedCopies[]> {
  return await db.$queryRaw<DamagedCopies[]>`
    SELECT b.database_id::text AS "databaseId", (array_agg(b.id::text ORDER BY b.created_at DESC))[1] AS "backupId",
      count(*) FILTER (WHERE c.state = 'missing')::int AS missing,
      count(*) FILTER (WHERE c.state = 'altered')::int AS altered, max(c.checked_at) AS since
    FROM destination t
    JOIN copy c ON c.destination_id = t.id AND c.state IN ('missing', 'altered')
    JOIN backup b ON b.id = c.backup_id
    WHERE t.archived_at IS NULL
    GROUP BY b.database_id`;
}

/** Copies that the newest backup and the newest proven one lack, and that nothing makes again by itself. */
async function lackingCopies(db: Db, databases: Assessed[]): Promise<LackingCopy[]> {
  const newest = [...new Set(databases.flatMap(({ row }) => [row.goodId ?? [], row.provenId ?? []].flat()))];
  if (newest.length === 0) return [];
  return await db.$queryRaw<LackingCopy[]>`
    SELECT b.database_id::text AS "databaseId", b.id::text AS "backupId", t.name AS destination,
      c.state::text AS state, c.reason, c.checked_at AS since
    FROM copy c JOIN backup b ON b.id = c.backup_id JOIN destination t ON t.id = c.destination_id
    WHERE c.backup_id = ANY(${newest}::uuid[]) AND t.archived_at IS NULL AND c.retry_at IS NULL
      AND c.state IN ('failed', 'unreachable') AND NOT EXISTS (
        SELECT 1 FROM operation o WHERE o.backup_id = b.id AND o.kind IN ('backup.copy', 'backup.verify')
          AND o.state IN ('queued', 'running', 'cancelling'))
    ORDER BY t.name`;
}

async function failingDestinations(db: Db): Promise<AttentionFacts["destinations"]> {
  const rows = await db.destination.findMany({
    where: { archivedAt: null, checkError: { not: null } },
    orderBy: { name: "asc" },
  });
  return rows.map((row) => ({ name: row.name, error: row.checkError ?? "", since: row.checkedAt }));
}
