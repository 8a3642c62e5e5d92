import { z } from "zod";
import { pageQuery } from "../paging.ts";

export const auditItemSchema = z.object({
  id: z.string(),
  seq: z.string().nullable(),
  at: z.string(),
  actor: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() }),
  address: z.string().nullable(),
  action: z.string(),
  object: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
});
export type AuditItem = z.infer<typeof auditItemSchema>;

export const auditFilters = {
  /** Part of the actor's or the object's name, of the address or of the action. */
  q: z.string().max(200).optional(),
  actor: z.string().max(200).optional(),
  action: z.string().max(100).optional(),
  objectKind: z.string().max(60).optional(),
  object: z.string().max(200).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
};
export const listAuditQuery = z.object({ ...pageQuery, ...auditFilters });
export const exportAuditQuery = z.object({
  ...auditFilters,
  format: z.enum(["csv", "jsonl"]).default("jsonl"),
});

export const auditVerificationSchema = z.object({
  intact: z.boolean(),
  checked: z.number(),
  /** Events not chained yet (newer than the oldest open transaction). */
  unchained: z.number(),
  head: z.object({ seq: z.string(), hash: z.string() }).nullable(),
  /** Where and how the chain breaks. */
  breaks: z.array(z.object({ seq: z.string(), eventId: z.string(), detail: z.string() })),
});
export type AuditVerification = z.infer<typeof auditVerificationSchema>;
