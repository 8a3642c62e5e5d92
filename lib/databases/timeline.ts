import type { z } from "zod";
import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import { formatBytes, formatDuration } from "../format.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, toPage } from "../paging.ts";
import { findDatabase } from "./find-database.ts";
import type { timelineItemSchema } from "./schema.ts";
import { timelineQuery } from "./schema.ts";

type TimelineItem = z.infer<typeof timelineItemSchema>;

interface Row {
  at: Date;
  id: string;
  kind: "backup" | "proof" | "restore" | "preflight" | "audit";
  state: string;
  what: string;
  detail: string | null;
  amount: number | null;
  actor: string | null;
  href: string | null;
}

/** Everything that happened to a database, newest first: backups, proofs, restores, changes. */
export async function databaseTimeline(
  ctx: Ctx,
  nameOrId: string,
  input: z.input<typeof timelineQuery>,
): Promise<Page<TimelineItem>> {
  const { id } = await findDatabase(ctx, ctx.db, nameOrId, "read");
  const query = timelineQuery.parse(input);
  const cursor = query.cursor ? decodeCursor(query.cursor) : null;
  const limit = query.limit + 1;
  const before = (at: Prisma.Sql, key: Prisma.Sql) =>
    cursor ? Prisma.sql`AND (${at}, ${key}) < (${cursor.at}, ${cursor.id}::uuid)` : Prisma.empty;
  const column = (name: string) => Prisma.raw(name);
  // Of its own accord Holdfast acts as itself, whichever of its processes it was.
  const askedBy = Prisma.sql`CASE o.actor_kind WHEN 'system' THEN 'Holdfast' ELSE o.actor_name END`;
  const rows = await ctx.db.$queryRaw<Row[]>`
    (SELECT b.created_at AS at, b.id::text AS id, 'backup' AS kind, b.state::text AS state, b.trigger AS what,
        b.reason AS detail, b.size_bytes::float8 AS amount, ${askedBy} AS actor, '/backups/' || b.id AS href
      FROM backup b LEFT JOIN operation o ON o.id = b.operation_id
      WHERE b.database_id = ${id}::uuid ${before(column("b.created_at"), column("b.id"))}
      ORDER BY b.created_at DESC, b.id DESC LIMIT ${limit})
    UNION ALL
    (SELECT p.finished_at, p.id::text, 'proof', p.verdict::text, CASE WHEN p.by_count THEN 'count' ELSE 'content' END,
        p.reason, p.restore_seconds, ${askedBy}, '/backups/' || p.backup_id
      FROM proof p JOIN backup b ON b.id = p.backup_id LEFT JOIN operation o ON o.id = p.operation_id
      WHERE b.database_id = ${id}::uuid ${before(column("p.finished_at"), column("p.id"))}
      ORDER BY p.finished_at DESC, p.id DESC LIMIT ${limit})
    UNION ALL
    (SELECT o.created_at, o.id::text, CASE o.kind WHEN 'backup.restore' THEN 'restore' ELSE 'preflight' END,
        o.state::text, o.title, o.reason, NULL, ${askedBy}, '/operations/' || o.id
      FROM operation o
      WHERE o.database_id = ${id}::uuid AND o.kind IN ('backup.restore', 'database.preflight')
        ${before(column("o.created_at"), column("o.id"))}
      ORDER BY o.created_at DESC, o.id DESC LIMIT ${limit})
    UNION ALL
    (SELECT e.at, e.id::text, 'audit', 'ok', e.action, NULL, NULL, e.actor_name, NULL
      FROM audit_event e
      WHERE e.object_kind = 'database' AND e.object_id = ${id}
        AND e.action IN ('database.create', 'database.update', 'database.archive', 'database.unarchive')
        ${before(column("e.at"), column("e.id"))}
      ORDER BY e.at DESC, e.id DESC LIMIT ${limit})
    ORDER BY at DESC, id DESC LIMIT ${limit}`;
  return toPage(rows, query.limit, ({ at, id: key }) => ({ at, id: key }), itemOf);
}

function itemOf(row: Row): TimelineItem {
  return {
    at: row.at.toISOString(),
    kind: row.kind,
    state: stateOf(row),
    title: titleOf(row),
    detail: detailOf(row),
    actor: row.actor,
    href: row.href,
  };
}

const STATES: Record<string, TimelineItem["state"]> = {
  complete: "ok",
  succeeded: "ok",
  proven: "ok",
  ok: "ok",
  partial: "warning",
  unverifiable: "warning",
  cancelled: "unknown",
  queued: "running",
  running: "running",
  cancelling: "running",
  failed: "problem",
  interrupted: "problem",
};

function stateOf(row: Row): TimelineItem["state"] {
  return STATES[row.state] ?? "unknown";
}

const TITLES: Record<string, Record<string, string>> = {
  backup: {
    running: "Backing up",
    complete: "Backed up",
    partial: "Backed up, not to every destination",
    failed: "Backup failed",
    cancelled: "Backup cancelled",
    interrupted: "Backup interrupted",
  },
  proof: { proven: "Proven", failed: "Proof failed", unverifiable: "Could not be verified" },
  audit: {
    "database.create": "Registered",
    "database.update": "Settings changed",
    "database.archive": "Archived",
    "database.unarchive": "Brought back",
  },
};

function titleOf(row: Row): string {
  if (row.kind === "restore" || row.kind === "preflight") return row.what;
  if (row.kind === "proof" && row.state === "proven" && row.what === "count") return "Proven by count";
  return TITLES[row.kind]?.[row.kind === "audit" ? row.what : row.state] ?? row.what;
}

function detailOf(row: Row): string | null {
  if (row.kind === "backup" && row.state === "complete" && row.amount !== null)
    return formatBytes(row.amount);
  if (row.kind === "proof" && row.state === "proven" && row.amount !== null) {
    return `restored in ${formatDuration(row.amount)}`;
  }
  return row.detail;
}
