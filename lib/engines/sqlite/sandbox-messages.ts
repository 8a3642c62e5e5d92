import { z } from "zod";
import { type Fingerprint, fingerprintSchema, proofCheckSchema } from "../../proof/schema.ts";

/**
 * What a worker asks of the program in a sandbox (one request a line), and what it is told. The dump's bytes come
 * on a descriptor of their own. Whatever was restored may speak in the program's place: nothing it says is trusted.
 */
export type SandboxRequestMessage =
  | { task: "restore" }
  | { task: "fingerprint"; like: Fingerprint }
  | { task: "check" };

const TEXT = z.string().max(10_000);

export const answerSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), version: z.string().max(40) }),
  z.object({
    type: z.literal("progress"),
    progress: z.object({
      label: z.string().max(100),
      done: z.number().nonnegative(),
      total: z.number().nonnegative().nullable(),
      unit: z.enum(["bytes", "rows"]),
    }),
  }),
  z.object({ type: z.literal("result"), value: z.unknown() }),
  z.object({
    type: z.literal("error"),
    /** Null for what was not foreseen: no room, no memory. */
    code: z.enum(["invalid", "unavailable", "conflict"]).nullable(),
    message: TEXT,
    remedy: TEXT.optional(),
  }),
]);
export type SandboxAnswer = z.infer<typeof answerSchema>;

export const RESULTS = {
  restore: z.object({
    skipped: z.array(z.object({ object: TEXT, reason: TEXT })).max(1_000),
    tools: z.record(z.string().max(100), z.string().max(100)),
    seconds: z.number().nonnegative(),
  }),
  fingerprint: fingerprintSchema,
  check: z.array(proofCheckSchema.extend({ detail: TEXT })).max(1_000),
} as const;
