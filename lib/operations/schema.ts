import { z } from "zod";
import { pageQuery } from "../paging.ts";

export const operationStates = [
  "queued",
  "running",
  "cancelling",
  "succeeded",
  "failed",
  "cancelled",
  "interrupted",
] as const;
export const finalStates: readonly string[] = ["succeeded", "failed", "cancelled", "interrupted"];

/** `done` of `total` in `unit`; total is null while unknown. Rates are per second. */
export const progressSchema = z.object({
  label: z.string(),
  done: z.number(),
  total: z.number().nullable(),
  unit: z.enum(["bytes", "rows", "tables", "objects"]),
  perSecond: z.number().nullable().optional(),
  note: z.string().optional(),
});
export type Progress = z.infer<typeof progressSchema>;

export const operationItemSchema = z.object({
  id: z.string(),
  rootId: z.string(),
  kind: z.string(),
  title: z.string(),
  state: z.enum(operationStates),
  reason: z.string().nullable(),
  trigger: z.string(),
  actor: z.object({ kind: z.string(), name: z.string() }),
  database: z.string().nullable(),
  backupId: z.string().nullable(),
  attempt: z.number(),
  maxAttempts: z.number(),
  worker: z.string().nullable(),
  progress: progressSchema.nullable(),
  waitsFor: z.string().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
});
export type OperationItem = z.infer<typeof operationItemSchema>;

export const stepSchema = z.object({
  attempt: z.number(),
  seq: z.number(),
  name: z.string(),
  state: z.enum(["running", "succeeded", "failed", "cancelled", "interrupted", "skipped"]),
  detail: z.string().nullable(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
});

export const operationSchema = operationItemSchema.extend({
  steps: z.array(stepSchema),
  transitions: z.array(
    z.object({ attempt: z.number(), state: z.string(), reason: z.string(), at: z.string() }),
  ),
  result: z.record(z.string(), z.unknown()).nullable(),
  error: z
    .object({ message: z.string(), remedy: z.string().nullable(), requestId: z.string().nullable() })
    .nullable(),
  /** Operations started by this one, and the one that started it. */
  related: z.array(operationItemSchema),
  cancellable: z.boolean(),
});
export type OperationDto = z.infer<typeof operationSchema>;

export const logLineSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  step: z.string().nullable(),
  level: z.enum(["info", "warn", "error"]),
  line: z.string(),
  at: z.string(),
});
export type LogLine = z.infer<typeof logLineSchema>;

/**
 * Messages of GET /api/v1/operations/{operation}/log/stream. Unnamed messages carry one LogLine each; their id
 * is the line's, so that EventSource resumes after it. The named message "end" comes last, when the operation
 * is final and every line was sent: close the stream then.
 */
export const logEndSchema = z.object({ state: z.enum(operationStates) });

export const listOperationsQuery = z.object({
  ...pageQuery,
  state: z.enum([...operationStates, "active", "final"]).optional(),
  kind: z.string().max(40).optional(),
  database: z.string().optional(),
  actor: z.string().optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

export const readLogQuery = z.object({
  /** Lines after this id; the newest `limit` lines when `tail` is set. */
  after: z.string().regex(/^\d+$/).optional(),
  q: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(2000).default(500),
  tail: z.stringbool().or(z.boolean()).default(false),
});
