import { z } from "zod";
import { defineOperation } from "../../operations/definition.ts";

/** Looks at a registered database without changing anything. */
export const preflightOperation = defineOperation({
  kind: "database.preflight",
  payload: z.object({ databaseId: z.string() }),
  maxAttempts: 2,
  stallSeconds: 120,
  exclusive: false,
  usesServer: false,
});
