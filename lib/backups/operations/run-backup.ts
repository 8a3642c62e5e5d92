import { z } from "zod";
import { defineOperation } from "../../operations/definition.ts";

/** Dumps one database to its destinations; the proof follows as an operation of its own. */
export const runBackupOperation = defineOperation({
  kind: "backup.run",
  payload: z.object({ backupId: z.string(), verify: z.boolean().default(true) }),
  maxAttempts: 2,
  stallSeconds: 900,
  exclusive: true,
  usesServer: true,
});
