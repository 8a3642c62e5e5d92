import type { Actor, Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import { kitConfirmed } from "../secrets/recovery-kits.ts";
import type { Assessed, DatabaseRow } from "./database-row.ts";
import { assess } from "./database-row.ts";

/** Conditions on `d` (database) and `v` (environment) that keep an actor within its limits. */
export function scopeConditions(actor: Actor): Prisma.Sql[] {
  if (actor.kind !== "user" && actor.kind !== "token") return [];
  const { environments, applications } = actor.scope;
  return [
    ...(environments.length > 0 ? [Prisma.sql`v.name = ANY(${environments})`] : []),
    ...(applications.length > 0 ? [Prisma.sql`d.application = ANY(${applications})`] : []),
  ];
}

/**
 * The databases that meet the conditions, within the actor's limits, by name, each with its promise. For each one
 * the backups' indexes are asked for the newest of its kind: cost grows with the databases, not with the backups.
 */
export async function selectDatabases(
  ctx: Ctx,
  conditions: Prisma.Sql[],
  limit: number | null = null,
): Promise<Assessed[]> {
  const where = Prisma.join([Prisma.sql`TRUE`, ...scopeConditions(ctx.actor), ...conditions], " AND ");
  const [rows, confirmed] = await Promise.all([
    ctx.db.$queryRaw<DatabaseRow[]>`
    WITH chosen AS (
      SELECT d.*, v.name AS environment, v.protected
      FROM database d JOIN environment v ON v.id = d.environment_id
      WHERE ${where}
      ORDER BY d.name COLLATE "C" ${limit === null ? Prisma.empty : Prisma.sql`LIMIT ${limit}`}),
    running AS (
      SELECT DISTINCT ON (o.database_id) o.database_id, o.id, o.kind, o.state FROM operation o
      WHERE o.state IN ('queued', 'running', 'cancelling') AND o.kind IN ('backup.run', 'backup.verify')
      ORDER BY o.database_id, (o.state = 'queued'), (o.kind = 'backup.run'), o.created_at)
    SELECT d.id::text, d.name, d.engine::text, d.application, d.environment, d.protected, d.pool, d.tags, d.owner,
      d.server_version AS "serverVersion", d.size_bytes AS "sizeBytes", d.archived_at AS "archivedAt",
      d.created_at AS "createdAt", d.probed_at AS "probedAt", d.probe_error AS "probeError",
      good.id::text AS "goodId", good.created_at AS "goodAt", good.finished_at AS "goodFinishedAt",
      proven.id::text AS "provenId", proven.created_at AS "provenDataAt", proven.proven_at AS "provenAt",
      proven.proof_by_count AS "provenByCount", proven.restore_seconds AS "provenRestoreSeconds",
      copies.counts AS "provenCopies", copies.off_host AS "provenOffHost", copies.kinds AS "provenKinds",
      refuted.id::text AS "failedProofId", refuted.created_at AS "failedProofAt",
      refuted.proof_reason AS "failedProofReason",
      unsure.id::text AS "unverifiableId", unsure.created_at AS "unverifiableAt",
      unsure.proof_reason AS "unverifiableReason",
      failed.id::text AS "failedBackupId", failed.created_at AS "failedBackupAt",
      failed.reason AS "failedBackupReason",
      running.id::text AS "runningId", running.kind AS "runningKind", running.state::text AS "runningState"
    FROM chosen d
    LEFT JOIN LATERAL (SELECT b.id, b.created_at, b.finished_at FROM backup b
      WHERE b.database_id = d.id AND b.state IN ('complete', 'partial') AND b.removing_at IS NULL
      ORDER BY b.created_at DESC, b.id DESC LIMIT 1) AS good ON TRUE
    LEFT JOIN LATERAL (SELECT b.id, b.created_at, b.proven_at, b.proof_by_count, b.restore_seconds FROM backup b
      WHERE b.database_id = d.id AND b.proof_verdict = 'proven' AND b.removing_at IS NULL
      ORDER BY b.created_at DESC LIMIT 1) AS proven ON TRUE
    LEFT JOIN LATERAL (SELECT jsonb_build_object(
          'stored', count(*) FILTER (WHERE c.state = 'stored'),
          'missing', count(*) FILTER (WHERE c.state = 'missing'),
          'altered', count(*) FILTER (WHERE c.state = 'altered'),
          'unreachable', count(*) FILTER (WHERE c.state = 'unreachable'),
          'failed', count(*) FILTER (WHERE c.state = 'failed' AND t.archived_at IS NULL)) AS counts,
        coalesce(bool_or(c.state = 'stored' AND t.off_host), FALSE) AS off_host,
        count(DISTINCT t.kind) FILTER (WHERE c.state = 'stored')::int AS kinds
      FROM copy c JOIN destination t ON t.id = c.destination_id
      WHERE c.backup_id = proven.id) AS copies ON TRUE
    LEFT JOIN LATERAL (SELECT b.id, b.created_at, b.proof_reason FROM backup b
      WHERE b.database_id = d.id AND b.proof_verdict = 'failed' AND b.removing_at IS NULL
      ORDER BY b.created_at DESC LIMIT 1) AS refuted ON TRUE
    LEFT JOIN LATERAL (SELECT b.id, b.created_at, b.proof_reason FROM backup b
      WHERE b.database_id = d.id AND b.proof_verdict = 'unverifiable' AND b.removing_at IS NULL
      ORDER BY b.created_at DESC LIMIT 1) AS unsure ON TRUE
    LEFT JOIN LATERAL (SELECT b.id, b.created_at, b.reason FROM backup b
      WHERE b.database_id = d.id AND b.state IN ('failed', 'interrupted')
        AND b.created_at >= coalesce(good.created_at, '-infinity')
      ORDER BY b.created_at DESC, b.id DESC LIMIT 1) AS failed ON TRUE
    LEFT JOIN running ON running.database_id = d.id
    ORDER BY d.name COLLATE "C"`,
    kitConfirmed(ctx.db),
  ]);
  const now = ctx.clock.now();
  return rows.map((row) => assess(row, now, confirmed));
}
