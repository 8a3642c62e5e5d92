import type { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { escapeLike } from "../db/escape-like.ts";
import type { OperationLog } from "../db/generated/client.ts";
import type { Page } from "../paging.ts";
import type { LogLine } from "./schema.ts";
import { logLineSchema, readLogQuery } from "./schema.ts";
import { requireOperation } from "./target.ts";

/**
 * Lines of an operation's log, oldest first: those after `after`, or the newest ones with `tail`; with `q` only
 * lines that contain it, in any case. `nextCursor` is the next `after`, null at the end.
 */
export async function readLog(
  ctx: Ctx,
  operationId: string,
  query: z.input<typeof readLogQuery>,
): Promise<Page<LogLine>> {
  requirePermission(ctx, "read");
  await requireOperation(ctx, operationId);
  const { after, q, limit, tail } = readLogQuery.parse(query);
  const rows = await ctx.db.operationLog.findMany({
    where: {
      operationId,
      ...(after === undefined ? {} : { id: { gt: BigInt(after) } }),
      ...(q ? { line: { contains: escapeLike(q), mode: "insensitive" as const } } : {}),
    },
    orderBy: { id: tail ? "desc" : "asc" },
    take: limit + 1,
  });
  const shown = rows.slice(0, limit);
  if (tail) return { items: shown.reverse().map(toLogLine), nextCursor: null };
  const more = rows.length > limit ? (shown.at(-1)?.id.toString() ?? null) : null;
  return { items: shown.map(toLogLine), nextCursor: more };
}

export function toLogLine({ id, attempt, step, level, line, at }: OperationLog): LogLine {
  return {
    id: id.toString(),
    attempt,
    step,
    level: logLineSchema.shape.level.catch("info").parse(level),
    line,
    at: at.toISOString(),
  };
}
