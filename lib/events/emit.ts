import type { Tx } from "../db/client.ts";
import type { topics } from "./schema.ts";

/** What a browser may hold on screen; an event says which of it is stale. */
export type Topic = (typeof topics)[number];

export const EVENTS_CHANNEL = "holdfast_events";

/** Records that something changed and, on commit, wakes the event streams of every web process. */
export async function emitEvent(tx: Tx, topic: Topic, objectId?: string): Promise<void> {
  await tx.$executeRaw`
    WITH noted AS (INSERT INTO live_event (topic, object_id) VALUES (${topic}, ${objectId ?? null}))
    SELECT pg_notify(${EVENTS_CHANNEL}, '')`;
}
