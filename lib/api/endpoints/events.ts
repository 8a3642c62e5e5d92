import { requirePermission } from "../../auth/permissions.ts";
import { stillAllowed } from "../../auth/still-allowed.ts";
import { processHub } from "../../events/process-hub.ts";
import { streamEvents } from "../../events/stream-events.ts";
import { endpoint } from "../endpoint.ts";

export const eventEndpoints = [
  endpoint({
    method: "GET",
    path: "/events",
    tag: "Live updates",
    summary: "Server-sent events: what has changed, to be read again; resumes with Last-Event-ID",
    permission: "read",
    streams: ["text/event-stream"],
    async handle(ctx, { signal, headers }) {
      requirePermission(ctx, "read");
      return streamEvents(ctx, processHub(ctx.db, ctx.log), {
        signal,
        lastEventId: headers.get("last-event-id"),
        stillAllowed: () => stillAllowed(ctx),
      });
    },
  }),
];
