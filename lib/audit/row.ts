import { canonicalText } from "./canonical.ts";
import type { AuditItem } from "./schema.ts";

/** An audit event as read by SQL, with its link's number where it is chained. */
export interface AuditRow {
  id: string;
  seq: bigint | null;
  at: Date;
  actorKind: string;
  actorId: string | null;
  actorName: string;
  address: string | null;
  action: string;
  objectKind: string;
  objectId: string | null;
  objectName: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  canonical: string;
}

/** The canonical text that the stored columns stand for; differs from `canonical` when one was altered. */
export function canonicalOf(row: AuditRow): string {
  const { seq: _seq, canonical: _canonical, ...event } = row;
  return canonicalText(event);
}

export function auditItem(row: AuditRow): AuditItem {
  return {
    id: row.id,
    seq: row.seq?.toString() ?? null,
    at: row.at.toISOString(),
    actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
    address: row.address,
    action: row.action,
    object: { kind: row.objectKind, id: row.objectId, name: row.objectName },
    before: row.before,
    after: row.after,
  };
}
