import { z } from "zod";
import { databaseItemSchema } from "../databases/schema.ts";
import { operationItemSchema } from "../operations/schema.ts";

/** Something that needs a person, with the action that fixes it. */
export const attentionSchema = z.object({
  id: z.string(),
  severity: z.enum(["problem", "warning"]),
  title: z.string(),
  detail: z.string(),
  since: z.string().nullable(),
  environment: z.string().nullable(),
  action: z.object({ label: z.string(), href: z.string() }),
});
export type Attention = z.infer<typeof attentionSchema>;

/** One block of the last 24 hours' strip. */
export const stripItemSchema = z.object({
  kind: z.string(),
  state: z.enum(["ok", "warning", "problem", "running"]),
  from: z.string(),
  to: z.string(),
  title: z.string(),
  href: z.string(),
});

export const overviewQuery = z.object({ environment: z.string().optional() });

export const overviewSchema = z.object({
  /** The finding, in parts, so that only the part that needs someone is coloured. */
  finding: z.array(z.object({ text: z.string(), tone: z.enum(["plain", "problem", "warning"]) })),
  /** "Slowest restore 4 min 10 s · every copy in 1 place". */
  facts: z.array(z.string()),
  counts: z.object({
    databases: z.number(),
    recoverable: z.number(),
    attention: z.number(),
    running: z.number(),
  }),
  attention: z.array(attentionSchema),
  databases: z.array(databaseItemSchema),
  running: z.array(operationItemSchema),
  strip: z.array(stripItemSchema),
  workers: z.number(),
});
export type Overview = z.infer<typeof overviewSchema>;
