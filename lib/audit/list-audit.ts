import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import type { Page } from "../paging.ts";
import { decodeCursor, toPage } from "../paging.ts";
import type { AuditRow } from "./row.ts";
import { auditItem } from "./row.ts";
import type { AuditItem } from "./schema.ts";
import { listAuditQuery } from "./schema.ts";
import { AUDIT_COLUMNS, auditConditions } from "./select-audit.ts";

/** Audit events, newest first. */
export async function listAudit(ctx: Ctx, input: z.input<typeof listAuditQuery>): Promise<Page<AuditItem>> {
  requirePermission(ctx, "read");
  const query = listAuditQuery.parse(input);
  const conditions = auditConditions(ctx.actor, query);
  if (query.cursor) {
    const { at, id } = decodeCursor(query.cursor);
    conditions.push(Prisma.sql`(e.at, e.id) < (${at}, ${id}::uuid)`);
  }
  const rows = await ctx.db.$queryRaw<AuditRow[]>`
    SELECT ${AUDIT_COLUMNS} FROM audit_event e LEFT JOIN audit_link l ON l.event_id = e.id
    WHERE ${Prisma.join(conditions, " AND ")}
    ORDER BY e.at DESC, e.id DESC LIMIT ${query.limit + 1}`;
  return toPage(rows, query.limit, (row) => ({ at: row.at, id: row.id }), auditItem);
}
