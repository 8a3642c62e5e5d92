import { z } from "zod";
import { defineOperation } from "../../operations/definition.ts";

/** Restores a backup into a new database or over an existing one; never tried twice. */
export const restoreBackupOperation = defineOperation({
  kind: "backup.restore",
  payload: z.object({
    backupId: z.string(),
    /** The registered database that connections go through; the one replaced, for "over". */
    databaseId: z.string(),
    target: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("new"), name: z.string(), register: z.boolean() }),
      z.object({ kind: z.literal("over"), endSessions: z.boolean() }),
    ]),
    jobs: z.number(),
  }),
  maxAttempts: 1,
  stallSeconds: 900,
  exclusive: true,
  usesServer: true,
});
