import type { z } from "zod";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import type { OperationDefinition } from "./definition.ts";
import { enqueue } from "./dispatch.ts";

export interface StartInput<P extends z.ZodType> {
  id?: string;
  payload: z.input<P>;
  /** A sentence part: "Back up shop-production". */
  title: string;
  pool: string;
  trigger: "click" | "api" | "chain" | "schedule" | "retry" | "system";
  databaseId?: string | null;
  backupId?: string | null;
  /** The operation that starts this one; it inherits that root's slots. */
  parent?: { rootId: string };
}

/**
 * Creates an operation and enqueues it, in the caller's transaction. The caller writes the audit event.
 * Returns the operation's id.
 */
export async function startOperation<P extends z.ZodType>(
  tx: Tx,
  ctx: Ctx,
  definition: OperationDefinition<P>,
  input: StartInput<P>,
): Promise<string> {
  const id = input.id ?? newId();
  const { actor } = ctx;
  await tx.operation.create({
    data: {
      id,
      rootId: input.parent?.rootId ?? id,
      kind: definition.kind,
      title: input.title,
      pool: input.pool,
      payload: definition.payload.parse(input.payload) as Prisma.InputJsonValue,
      reason: "waits for a worker",
      trigger: input.trigger,
      actorKind: actor.kind,
      actorId: actor.kind === "system" ? null : actor.id,
      actorName: actor.name,
      databaseId: input.databaseId ?? null,
      backupId: input.backupId ?? null,
      maxAttempts: definition.maxAttempts,
      createdAt: ctx.clock.now(),
    },
  });
  await tx.operationTransition.create({
    data: {
      operationId: id,
      attempt: 0,
      state: "queued",
      reason: `asked for by ${actor.kind === "system" ? "Holdfast" : actor.name}`,
      at: ctx.clock.now(),
    },
  });
  await enqueue(tx, { operationId: id, pool: input.pool });
  await emitEvent(tx, "operations", id);
  return id;
}
