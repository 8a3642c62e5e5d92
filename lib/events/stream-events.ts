import type { Ctx } from "../context.ts";
import type { EventHub } from "./hub.ts";
import { SSE_HEARTBEAT, sseMessage, sseResponse } from "./sse.ts";

export interface StreamOptions {
  /** Asked at every heartbeat: false ends the stream. */
  stillAllowed(): Promise<boolean>;
  signal: AbortSignal;
  lastEventId: string | null;
  heartbeatMs?: number;
}

export const HEARTBEAT_MS = 15_000;

/** The stream of changes for one browser. Those whose access is limited get topics without ids of objects. */
export function streamEvents(ctx: Ctx, hub: EventHub, options: StreamOptions): Response {
  const { heartbeatMs = HEARTBEAT_MS } = options;
  const limited = isLimited(ctx);
  return sseResponse(options.signal, async function* (signal) {
    const subscriber = await hub.subscribe(options.lastEventId);
    let checkedAt = performance.now();
    try {
      while (!signal.aborted) {
        const wait = Math.max(0, checkedAt + heartbeatMs - performance.now());
        const { messages, id } = await subscriber.next(wait, signal);
        const last = messages.at(-1);
        let text = "";
        for (const message of messages) {
          const shown = limited ? { topic: message.topic, objectId: null } : message;
          text += sseMessage(shown, message === last ? { id } : {});
        }
        if (performance.now() - checkedAt >= heartbeatMs) {
          if (!(await options.stillAllowed())) return;
          checkedAt = performance.now();
          text += SSE_HEARTBEAT;
        }
        if (text !== "") yield text;
      }
    } finally {
      hub.unsubscribe(subscriber);
    }
  });
}

function isLimited({ actor }: Ctx): boolean {
  if (actor.kind === "system" || actor.kind === "schedule") return false;
  return actor.scope.environments.length > 0 || actor.scope.applications.length > 0;
}
