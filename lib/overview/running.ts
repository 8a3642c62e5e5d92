import type { Ctx } from "../context.ts";
import { scopeConditions } from "../databases/select-databases.ts";
import { Prisma } from "../db/generated/client.ts";
import type { OperationItem } from "../operations/schema.ts";
import { progressSchema } from "../operations/schema.ts";

/** The Overview shows these; the ledger has the rest. */
const MOST = 50;

interface Row extends Omit<OperationItem, "actor" | "createdAt" | "startedAt" | "finishedAt"> {
  actorKind: string;
  actorName: string;
  createdAt: Date;
  startedAt: Date | null;
  total: number;
}

/** What runs or waits now, running first, and how many there are in all. */
export async function activeOperations(
  ctx: Ctx,
  environment: string | undefined,
): Promise<{ items: OperationItem[]; count: number }> {
  const limits = [
    ...scopeConditions(ctx.actor),
    ...(environment ? [Prisma.sql`v.name = ${environment}`] : []),
  ];
  const rows = await ctx.db.$queryRaw<Row[]>`
    SELECT o.id::text, o.root_id::text AS "rootId", o.kind, o.title, o.state::text, o.reason, o.trigger,
      o.actor_kind AS "actorKind", o.actor_name AS "actorName", d.name AS database, o.backup_id::text AS "backupId",
      o.attempt, o.max_attempts AS "maxAttempts", w.name AS worker, o.progress, o.waits_for AS "waitsFor",
      o.created_at AS "createdAt", o.started_at AS "startedAt", count(*) OVER ()::int AS total
    FROM operation o
    LEFT JOIN database d ON d.id = o.database_id
    LEFT JOIN environment v ON v.id = d.environment_id
    LEFT JOIN worker w ON w.id = o.worker_id
    WHERE o.state IN ('queued', 'running', 'cancelling') ${
      limits.length > 0 ? Prisma.sql`AND ${Prisma.join(limits, " AND ")}` : Prisma.empty
    }
    ORDER BY (o.state = 'queued'), o.created_at, o.id LIMIT ${MOST}`;
  return { items: rows.map(itemOf), count: rows[0]?.total ?? 0 };
}

function itemOf({ actorKind, actorName, total: _total, createdAt, startedAt, ...row }: Row): OperationItem {
  return {
    ...row,
    actor: { kind: actorKind, name: actorName },
    progress: progressSchema.nullable().catch(null).parse(row.progress),
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: null,
  };
}
