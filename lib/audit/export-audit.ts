import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import { emitAudit } from "./emit.ts";
import type { AuditRow } from "./row.ts";
import { auditItem } from "./row.ts";
import type { AuditItem } from "./schema.ts";
import { exportAuditQuery } from "./schema.ts";
import { AUDIT_COLUMNS, auditConditions } from "./select-audit.ts";

const PAGE = 500;

export interface AuditExport {
  contentType: string;
  fileName: string;
  /** Text in pieces of at most one page of events, oldest event first. */
  chunks: AsyncIterable<string>;
}

/** Streams the events that match, up to now, and records that this was done before the first byte. */
export async function exportAudit(ctx: Ctx, input: z.input<typeof exportAuditQuery>): Promise<AuditExport> {
  requirePermission(ctx, "audit.export");
  const { format, ...filter } = exportAuditQuery.parse(input);
  await ctx.db.$transaction((tx) =>
    emitAudit(tx, ctx, { action: "audit.export", object: { kind: "audit" }, after: { format, ...filter } }),
  );
  // Taken afterwards: an export tells of itself.
  const until = ctx.clock.now();
  const day = until.toISOString().slice(0, 10);
  return format === "csv"
    ? {
        contentType: "text/csv; charset=utf-8",
        fileName: `audit-${day}.csv`,
        chunks: csv(ctx, filter, until),
      }
    : {
        contentType: "application/x-ndjson",
        fileName: `audit-${day}.jsonl`,
        chunks: jsonl(ctx, filter, until),
      };
}

type Filter = Omit<z.output<typeof exportAuditQuery>, "format">;

async function* pages(ctx: Ctx, filter: Filter, until: Date): AsyncGenerator<AuditItem[]> {
  let after: { at: Date; id: string } | null = null;
  for (;;) {
    const conditions = [...auditConditions(ctx.actor, filter), Prisma.sql`e.at <= ${until}`];
    if (after) conditions.push(Prisma.sql`(e.at, e.id) > (${after.at}, ${after.id}::uuid)`);
    const rows: AuditRow[] = await ctx.db.$queryRaw`
      SELECT ${AUDIT_COLUMNS} FROM audit_event e LEFT JOIN audit_link l ON l.event_id = e.id
      WHERE ${Prisma.join(conditions, " AND ")} ORDER BY e.at, e.id LIMIT ${PAGE}`;
    if (rows.length > 0) yield rows.map(auditItem);
    const last = rows.at(-1);
    if (rows.length < PAGE || !last) return;
    after = { at: last.at, id: last.id };
  }
}

async function* jsonl(ctx: Ctx, filter: Filter, until: Date): AsyncGenerator<string> {
  for await (const page of pages(ctx, filter, until)) {
    yield page.map((item) => `${JSON.stringify(item)}\n`).join("");
  }
}

const HEADER = [
  "seq",
  "id",
  "at",
  "actor kind",
  "actor id",
  "actor",
  "address",
  "action",
  "object kind",
  "object id",
  "object",
  "before",
  "after",
];

async function* csv(ctx: Ctx, filter: Filter, until: Date): AsyncGenerator<string> {
  yield `${HEADER.map(csvCell).join(",")}\r\n`;
  for await (const page of pages(ctx, filter, until)) yield page.map(csvLine).join("");
}

function csvLine(item: AuditItem): string {
  const cells = [
    item.seq,
    item.id,
    item.at,
    item.actor.kind,
    item.actor.id,
    item.actor.name,
    item.address,
    item.action,
    item.object.kind,
    item.object.id,
    item.object.name,
    item.before && JSON.stringify(item.before),
    item.after && JSON.stringify(item.after),
  ];
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/**
 * One cell (RFC 4180). Text that a spreadsheet would take for a formula gets a leading apostrophe (OWASP, "CSV
 * injection").
 */
export function csvCell(value: string | null): string {
  const text = value ?? "";
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
