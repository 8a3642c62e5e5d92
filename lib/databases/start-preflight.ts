import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { StartInput } from "../operations/start-operation.ts";
import { startOperation } from "../operations/start-operation.ts";
import { preflightOperation } from "./operations/preflight.ts";

type Trigger = StartInput<typeof preflightOperation.payload>["trigger"];

/** Starts a preflight, or returns the one that waits for a worker already. */
export async function startPreflight(
  tx: Tx,
  ctx: Ctx,
  database: { id: string; name: string; pool: string },
  trigger: Trigger,
): Promise<string> {
  const waiting = await tx.operation.findFirst({
    where: { databaseId: database.id, kind: preflightOperation.kind, state: "queued" },
    select: { id: true },
  });
  if (waiting) return waiting.id;
  return await startOperation(tx, ctx, preflightOperation, {
    payload: { databaseId: database.id },
    title: `Preflight of ${database.name}`,
    pool: database.pool,
    trigger,
    databaseId: database.id,
  });
}

/** How an operation that this actor asks for came about. */
export function triggerOf(ctx: Ctx): Trigger {
  const { kind } = ctx.actor;
  return kind === "user" ? "click" : kind === "token" ? "api" : kind;
}
