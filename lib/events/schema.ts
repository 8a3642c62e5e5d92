import { z } from "zod";

/**
 * Messages of GET /api/v1/events, as EventSource gets them. Unnamed messages (`onmessage`) carry one change
 * each. The named message "reset" (no data) says that changes may have been missed: everything is stale.
 * "signed-out" (no data) says that the session has ended; the stream then closes.
 */
export const liveEventSchema = z.object({
  topic: z.enum(["overview", "databases", "backups", "operations", "audit", "settings", "workers"]),
  /** Id of the changed thing, or null for "some of them". */
  objectId: z.string().nullable(),
});
export type LiveEventMessage = z.infer<typeof liveEventSchema>;
