import { z } from "zod";
import { defineOperation } from "../../operations/definition.ts";

/** Proves copies of a backup; touches neither the database nor its server. */
export const verifyBackupOperation = defineOperation({
  kind: "backup.verify",
  payload: z.object({
    backupId: z.string(),
    /** Only this copy; without it, all stored ones. */
    copyId: z.string().optional(),
  }),
  maxAttempts: 2,
  stallSeconds: 900,
  exclusive: false,
  usesServer: false,
});
