import { z } from "zod";
import { HoldfastError, isHoldfastError, messageOf } from "../errors.ts";
import { progressSchema } from "../operations/schema.ts";
import { transferSpec } from "./schema.ts";

/** From the worker to its transfer child. */
export const parentMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("start"), spec: transferSpec, silenceMs: z.number() }),
  z.object({ type: z.literal("alive") }),
  z.object({ type: z.literal("abort"), reason: z.string() }),
  /** What was said with "unsettled" is written down, or why it could not be. */
  z.object({ type: z.literal("noted"), id: z.number(), error: z.string().nullable() }),
]);
export type ParentMessage = z.infer<typeof parentMessage>;

const codes = [
  "invalid",
  "unauthenticated",
  "forbidden",
  "not_found",
  "conflict",
  "refused",
  "throttled",
  "unavailable",
  "timeout",
] as const;

const errorMessage = z.object({
  /** Null for an error that is not meant for people. */
  code: z.enum(codes).nullable(),
  message: z.string(),
  remedy: z.string().optional(),
  fields: z.record(z.string(), z.string()).optional(),
  stack: z.string().optional(),
});
export type ErrorMessage = z.infer<typeof errorMessage>;

/** From the transfer child to its worker. */
export const childMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("log"), line: z.string(), level: z.enum(["info", "warn", "error"]) }),
  z.object({ type: z.literal("progress"), progress: progressSchema }),
  z.object({
    type: z.literal("sign"),
    sign: z.union([
      z.object({ moving: z.literal(true) }),
      z.object({ moving: z.literal(false), why: z.string() }),
    ]),
  }),
  z.object({ type: z.literal("unsettled"), id: z.number(), what: z.record(z.string(), z.unknown()) }),
  z.object({ type: z.literal("step"), name: z.string(), detail: z.string().nullable() }),
  z.object({ type: z.literal("result"), result: z.unknown() }),
  z.object({ type: z.literal("error"), error: errorMessage }),
]);
export type ChildMessage = z.infer<typeof childMessage>;

export function toErrorMessage(error: unknown): ErrorMessage {
  if (isHoldfastError(error)) {
    const { code, message, remedy, fields } = error;
    return { code, message, ...(remedy ? { remedy } : {}), ...(fields ? { fields } : {}) };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: null, message: messageOf(error), ...(stack ? { stack } : {}) };
}

/** The error as it was thrown in the child; HoldfastErrors stay what they are. */
export function fromErrorMessage({ code, message, remedy, fields, stack }: ErrorMessage): Error {
  if (code !== null) {
    return new HoldfastError(code, message, { ...(remedy ? { remedy } : {}), ...(fields ? { fields } : {}) });
  }
  const error = new Error(message);
  if (stack) error.stack = stack;
  return error;
}
