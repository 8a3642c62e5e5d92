import { z } from "zod";

export const topics = [
  "overview",
  "databases",
  "backups",
  "policies",
  "operations",
  "audit",
  "settings",
  "workers",
] as const;

/**
 * Data of each message of GET /api/v1/events; its id is what to resume after. Messages that were missed for
 * good come as one message per topic without an object. When the session ends, so does the stream.
 */
export const liveEventSchema = z.object({
  topic: z.enum(topics),
  /** Id of the changed thing, or null for "any of them". */
  objectId: z.string().nullable(),
});
export type LiveEventMessage = z.infer<typeof liveEventSchema>;
