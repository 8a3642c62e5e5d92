import { z } from "zod";

export const proofLevels = ["present", "readable", "restored", "asserted"] as const;
export const proofVerdicts = ["proven", "failed", "unverifiable"] as const;

/** One table of a fingerprint. `digest` is null where only rows were counted. */
export const tableFingerprintSchema = z.object({
  /** As shown: "public.orders", quoted only where SQL would need it. */
  name: z.string(),
  kind: z.enum(["table", "partition", "materialized view", "foreign table", "virtual table"]),
  rows: z.number().int().nonnegative().nullable(),
  /** Order-independent sum of 64-bit row hashes, as decimal text. */
  digest: z.string().nullable(),
  compared: z.enum(["content", "count", "not compared"]),
  /** Why the content was not digested or the table not compared. */
  note: z.string().optional(),
});
export type TableFingerprint = z.infer<typeof tableFingerprintSchema>;

/** `value` is the one handed out next. A restored sequence must be there or past it: below, if `descending`. */
export const sequenceFingerprintSchema = z.object({
  name: z.string(),
  value: z.string().nullable(),
  descending: z.boolean().optional(),
});

/** What a database held at one moment, comparable with what was restored from its dump. */
export const fingerprintSchema = z.object({
  format: z.literal(1),
  engine: z.string(),
  serverVersion: z.string(),
  takenAt: z.string(),
  /**
   * sha256 of all objects' definitions, and what it was made with; null where it can't be compared, with a note.
   * `objects`: "TABLE public.orders" → digest of that object, to name those that differ; absent for very many.
   */
  schema: z.object({
    digest: z.string().nullable(),
    method: z.string(),
    note: z.string().optional(),
    objects: z.record(z.string(), z.string()).optional(),
  }),
  /** sha256 of owners, grants and default privileges; comparable only where both were restored. */
  ownership: z.object({ digest: z.string().nullable(), note: z.string().optional() }).optional(),
  tables: z.array(tableFingerprintSchema),
  sequences: z.array(sequenceFingerprintSchema),
  extensions: z.array(z.object({ name: z.string(), version: z.string() })),
  largeObjects: z.object({ count: z.number().int(), digest: z.string().nullable() }).nullable(),
  /** Why it was not taken of the dump's own moment; then nothing is proven by it. */
  unshared: z.string().optional(),
  /** Things a snapshot can't promise or that were left out, each in a sentence. */
  notCompared: z.array(z.string()),
});
export type Fingerprint = z.infer<typeof fingerprintSchema>;

export const comparedTableSchema = z.object({
  name: z.string(),
  rows: z.number().nullable(),
  restoredRows: z.number().nullable(),
  compared: z.enum(["content", "count", "not compared"]),
  equal: z.boolean().nullable(),
  /** "3 rows missing", "same rows, other content", "materialized view". */
  note: z.string().optional(),
});
export type ComparedTable = z.infer<typeof comparedTableSchema>;

/** One named check of a proof, beyond the tables: schema, sequences, indexes, constraints, owners … */
export const proofCheckSchema = z.object({
  name: z.string(),
  state: z.enum(["passed", "failed", "not compared", "unverifiable"]),
  detail: z.string(),
});
export type ProofCheck = z.infer<typeof proofCheckSchema>;

/**
 * How the restored copy was kept apart (design: "Isolation"). Without namespaces: "role" for a database role without
 * superuser rights or, where there is no server, a uid of its own; "none" for the worker's own uid.
 */
export const isolationSchema = z.enum(["namespaces", "role", "none"]);
export type Isolation = z.infer<typeof isolationSchema>;

export const proofReportSchema = z.object({
  tables: z.array(comparedTableSchema),
  checks: z.array(proofCheckSchema),
  tools: z.record(z.string(), z.string()),
  sandbox: z
    .object({ engine: z.string(), version: z.string(), isolation: isolationSchema, detail: z.string() })
    .nullable(),
  /** Seconds by phase: read, restore, index checks, fingerprint. */
  seconds: z.record(z.string(), z.number()),
});
export type ProofReport = z.infer<typeof proofReportSchema>;

/** A proof as API, CLI and pages show it; `tables` only where one backup is asked for. */
export const proofSchema = z.object({
  id: z.string(),
  level: z.enum(proofLevels).nullable(),
  verdict: z.enum(proofVerdicts),
  byCount: z.boolean(),
  reason: z.string(),
  destination: z.string(),
  operationId: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  restoreSeconds: z.number().nullable(),
  isolation: isolationSchema.nullable(),
  tables: z.array(comparedTableSchema).optional(),
  tableCounts: z.object({ equal: z.number(), different: z.number(), notCompared: z.number() }),
  checks: z.array(proofCheckSchema),
  tools: z.record(z.string(), z.string()),
  sandbox: proofReportSchema.shape.sandbox,
  seconds: z.record(z.string(), z.number()),
});
export type ProofDto = z.infer<typeof proofSchema>;
