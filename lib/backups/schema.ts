import { z } from "zod";
import { pageQuery } from "../paging.ts";
import { proofLevels, proofSchema, proofVerdicts } from "../proof/schema.ts";

export const backupStates = ["running", "complete", "partial", "failed", "cancelled", "interrupted"] as const;
export const copyStates = [
  "writing",
  "stored",
  "missing",
  "altered",
  "failed",
  "unreachable",
  "removing",
  "removed",
] as const;

export const copySchema = z.object({
  id: z.string(),
  destination: z.string(),
  /** The destination is out of use: its copies stay, and none is made there again. */
  archived: z.boolean(),
  state: z.enum(copyStates),
  /** Relative to the destination's root. */
  path: z.string(),
  sizeBytes: z.number().nullable(),
  checkedAt: z.string().nullable(),
  reason: z.string().nullable(),
  /** When it is made again by itself. */
  retryAt: z.string().nullable(),
});

/** A backup in lists. `proof` repeats its newest conclusive proof, or null. */
export const backupItemSchema = z.object({
  id: z.string(),
  state: z.enum(backupStates),
  reason: z.string().nullable(),
  database: z.string(),
  databaseId: z.string(),
  engine: z.string(),
  environment: z.string(),
  trigger: z.string(),
  /** The policy that made it. */
  policy: z.string().nullable(),
  operationId: z.string(),
  sizeBytes: z.number().nullable(),
  plainBytes: z.number().nullable(),
  tableCount: z.number().nullable(),
  rowCount: z.number().nullable(),
  dumpSeconds: z.number().nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  copies: z.array(copySchema),
  /** Who holds it, and why: nothing deletes it. */
  pin: z.object({ at: z.string(), by: z.string(), reason: z.string() }).nullable(),
  /** It goes, since when and why; `removedAt` once its objects are gone everywhere, `retryAt` while some are not. */
  removal: z
    .object({
      at: z.string(),
      reason: z.string(),
      removedAt: z.string().nullable(),
      retryAt: z.string().nullable(),
    })
    .nullable(),
  proof: z
    .object({
      level: z.enum(proofLevels).nullable(),
      verdict: z.enum(proofVerdicts),
      byCount: z.boolean(),
      reason: z.string(),
      provenAt: z.string().nullable(),
      restoreSeconds: z.number().nullable(),
    })
    .nullable(),
});
export type BackupItem = z.infer<typeof backupItemSchema>;

/** One backup, whole: with its proof table by table, its artefacts and the commands that restore it. */
export const backupSchema = backupItemSchema.extend({
  engineVersion: z.string().nullable(),
  toolVersion: z.string().nullable(),
  proof: proofSchema.nullable(),
  /** The running or queued verification, if any. */
  verification: z.object({ operationId: z.string(), state: z.string() }).nullable(),
  /** The running or queued making of copies, if any. */
  copying: z.object({ operationId: z.string(), state: z.string() }).nullable(),
  proofs: z.array(proofSchema.omit({ tables: true, checks: true })),
  artefacts: z.array(
    z.object({
      name: z.string(),
      file: z.string(),
      bytes: z.number(),
      plainBytes: z.number(),
      sha256: z.string(),
      encrypted: z.boolean(),
    }),
  ),
  restoreCommands: z.array(z.string()),
  lastProvenBackup: z.object({ id: z.string(), createdAt: z.string() }).nullable(),
});
export type BackupDto = z.infer<typeof backupSchema>;

export const listBackupsQuery = z.object({
  ...pageQuery,
  database: z.string().optional(),
  environment: z.string().optional(),
  state: z.enum(backupStates).optional(),
  verdict: z.enum([...proofVerdicts, "none"]).optional(),
  /** Name or id of the policy that made them. */
  policy: z.string().max(100).optional(),
  /** Those whose objects were deleted, or are on their way out, are left out by default. */
  removed: z.enum(["no", "yes", "all"]).default("no"),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

export const runBackupInput = z.object({
  /** Name or id. */
  database: z.string().min(1),
  /** False skips the proof that normally follows. */
  verify: z.boolean().default(true),
});

export const verifyBackupInput = z.object({ destination: z.string().optional() });

/** Name or id; without it, every destination whose copy is missing, altered or failed. */
export const copyBackupInput = z.object({ destination: z.string().min(1).max(100).optional() });

export const pinBackupInput = z.object({
  reason: z.string().trim().min(1, "Say why it is kept.").max(500),
});

export const restoreTargetSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("new"),
    /** A registered database whose server gets the new one (for SQLite: whose folder). */
    on: z.string().min(1),
    name: z.string().regex(/^[a-z0-9_][a-z0-9_-]{0,62}$/, "Use 1 to 63 lower-case letters, digits, _ and -."),
    /** Register the restored database under this name, too. */
    register: z.boolean().default(false),
  }),
  z.object({
    kind: z.literal("over"),
    database: z.string().min(1),
    /** The database's own name, typed. */
    confirm: z.string(),
    /** End other sessions on it; without it, open sessions refuse the restore. */
    endSessions: z.boolean().default(false),
  }),
]);
export const restoreBackupInput = z.object({
  target: restoreTargetSchema,
  jobs: z.number().int().min(1).max(16).default(2),
});

/** A calendar day, as YYYY-MM-DD, with how many of its runs ended how. */
export const backupDaySchema = z.object({
  day: z.string(),
  proven: z.number(),
  unproven: z.number(),
  failed: z.number(),
});
export type BackupDay = z.infer<typeof backupDaySchema>;

export const backupDaysQuery = z.object({
  days: z.coerce.number().int().min(1).max(800).default(365),
  /** IANA name of the zone that days are counted in. */
  zone: z
    .string()
    .max(60)
    .refine(isTimeZone, "Give an IANA time zone, such as Europe/Berlin.")
    .default("UTC"),
});

export const listProofTablesQuery = z.object({
  ...pageQuery,
  result: z.enum(["different", "equal", "notCompared"]).optional(),
  q: z.string().max(200).optional(),
  /** Id of a proof; without it the one that speaks for the backup. */
  proof: z.uuid().optional(),
});

export const downloadArtefactQuery = z.object({
  /** "stored": as it lies at the destination; "dump": decrypted and decompressed. */
  as: z.enum(["stored", "dump"]).default("stored"),
  destination: z.string().optional(),
});

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
