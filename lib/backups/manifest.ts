import { z } from "zod";
import { fingerprintSchema } from "../proof/schema.ts";

/** One stored object of a backup. `plain*` describe the bytes before compression and encryption. */
export const artefactSchema = z.object({
  name: z.enum(["dump", "globals"]),
  /** File name within the backup's folder: "dump.pgdump.zst.age". */
  file: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
  plainBytes: z.number().int().nonnegative(),
  plainSha256: z.string(),
  compression: z.literal("zstd"),
  encryption: z.literal("age").nullable(),
});
export type Artefact = z.infer<typeof artefactSchema>;

/** The JSON beside the artefacts, published last: no manifest, no backup. */
export const manifestSchema = z.object({
  format: z.literal("holdfast-backup/1"),
  backupId: z.string(),
  installId: z.string(),
  holdfastVersion: z.string(),
  database: z.object({
    name: z.string(),
    engine: z.string(),
    application: z.string(),
    environment: z.string(),
    /** Name on its server, or file name. */
    sourceName: z.string(),
    serverVersion: z.string(),
    serverIdentity: z.string(),
    sizeBytes: z.number().nullable(),
    encoding: z.string().nullable(),
    collation: z.string().nullable(),
  }),
  startedAt: z.string(),
  finishedAt: z.string(),
  tools: z.record(z.string(), z.string()),
  recipients: z.array(z.string()),
  artefacts: z.array(artefactSchema),
  fingerprint: fingerprintSchema,
  excluded: z.array(z.string()),
  /** Head of the audit chain when the backup was made: a cut tail shows. */
  auditHead: z.object({ seq: z.string(), hash: z.string() }).nullable(),
  /** The literal commands that restore it with stock tools. */
  restore: z.array(z.string()),
  /** RESTORE.md beside it. */
  restoreFile: z.object({ file: z.string(), bytes: z.number().int(), sha256: z.string() }).optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
