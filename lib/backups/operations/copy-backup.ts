import { z } from "zod";
import { defineOperation } from "../../operations/definition.ts";

/** Makes copies that a backup lacks from a good one; touches neither the database nor its server. */
export const copyBackupOperation = defineOperation({
  kind: "backup.copy",
  payload: z.object({
    backupId: z.string(),
    /** Where copies are to be made. */
    destinationIds: z.array(z.string()),
  }),
  maxAttempts: 2,
  stallSeconds: 900,
  exclusive: false,
  usesServer: false,
});
