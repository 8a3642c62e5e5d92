import { z } from "zod";
import { defineOperation } from "../../operations/definition.ts";

/** Deletes the objects of backups that are on their way out; touches neither the database nor its server. */
export const removeBackupsOperation = defineOperation({
  kind: "backup.delete",
  payload: z.object({ backupIds: z.array(z.string()) }),
  maxAttempts: 2,
  stallSeconds: 900,
  exclusive: false,
  usesServer: false,
});
