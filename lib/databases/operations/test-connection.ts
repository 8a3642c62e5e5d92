import { z } from "zod";
import { defineOperation } from "../../operations/definition.ts";
import { engineKinds } from "../schema.ts";

/** The `aad` of a password that is sealed in a payload; it is wiped at the operation's end. */
export function testPasswordAad(operationId: string): string {
  return `operation:${operationId}`;
}

/** Connects once with what was entered, saved or not. */
export const testConnectionOperation = defineOperation({
  kind: "database.test",
  payload: z.object({
    engine: z.enum(engineKinds),
    connection: z.record(z.string(), z.unknown()),
    passwordSealed: z.string().nullable(),
    /** What was tested is the registration as it stands, so that its columns may be filled from the answer. */
    asRegistered: z.boolean().optional(),
  }),
  maxAttempts: 1,
  stallSeconds: 60,
  exclusive: false,
  usesServer: false,
});
