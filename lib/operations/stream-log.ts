import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { SSE_HEARTBEAT, sseMessage, sseResponse } from "../events/sse.ts";
import type { StreamOptions } from "../events/stream-events.ts";
import { HEARTBEAT_MS } from "../events/stream-events.ts";
import { toLogLine } from "./read-log.ts";
import { finalStates, logEndSchema } from "./schema.ts";
import { requireOperation } from "./target.ts";
import type { OperationNews } from "./wait-for-end.ts";

const MOST_LINES = 500;
/** A NOTIFY can be missed while the connection is away. */
const LOOK_EVERY_MS = 2_000;

/**
 * An operation's log as it grows: every line that is stored, then the following ones, then "end". Resumes after
 * the line whose id the client saw last.
 */
export async function streamLog(
  ctx: Ctx,
  operationId: string,
  news: OperationNews,
  options: StreamOptions,
): Promise<Response> {
  requirePermission(ctx, "read");
  await requireOperation(ctx, operationId);
  const { heartbeatMs = HEARTBEAT_MS, lastEventId } = options;
  return sseResponse(options.signal, async function* (signal) {
    let last = lastEventId !== null && /^\d{1,18}$/.test(lastEventId) ? BigInt(lastEventId) : 0n;
    let checkedAt = performance.now();
    while (!signal.aborted) {
      // The state first: what an ended operation has to say is stored before its end.
      const row = await ctx.db.operation.findUnique({ where: { id: operationId }, select: { state: true } });
      const lines = await ctx.db.operationLog.findMany({
        where: { operationId, id: { gt: last } },
        orderBy: { id: "asc" },
        take: MOST_LINES,
      });
      last = lines.at(-1)?.id ?? last;
      let text = lines.map((line) => sseMessage(toLogLine(line), { id: line.id.toString() })).join("");
      const ended = !row || finalStates.includes(row.state);
      if (ended && lines.length < MOST_LINES) {
        const end = logEndSchema.parse({ state: row?.state ?? "failed" });
        yield `${text}${sseMessage(end, { event: "end" })}`;
        return;
      }
      if (performance.now() - checkedAt >= heartbeatMs) {
        if (!(await options.stillAllowed())) return;
        checkedAt = performance.now();
        text += SSE_HEARTBEAT;
      }
      if (text !== "") yield text;
      if (lines.length < MOST_LINES) await news.next(operationId, LOOK_EVERY_MS, signal);
    }
  });
}
