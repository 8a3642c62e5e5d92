import type { Tx } from "../db/client.ts";
import { Prisma } from "../db/generated/client.ts";
import { enqueue, enqueueCleanUp } from "./dispatch.ts";
import type { Ended, OperationHandler } from "./handler.ts";
import { freeSlots } from "./slots.ts";
import { recordTransition } from "./transition.ts";

/** The operation as its end needs it. The caller holds its row's lock. */
export interface EndingOperation {
  id: string;
  rootId: string;
  kind: string;
  pool: string;
  attempt: number;
  databaseId: string | null;
  backupId: string | null;
  payload: unknown;
  unsettled: unknown;
}

export interface Ending {
  state: "succeeded" | "failed" | "cancelled" | "interrupted";
  reason: string;
  result?: Record<string, unknown> | null;
  error?: OperationError | null;
  /** Goes back to the queue as a new attempt; only with `interrupted`. */
  retry?: boolean;
}

export interface OperationError {
  message: string;
  remedy: string | null;
  requestId: string | null;
}

export type HandlerOf = (kind: string) => OperationHandler | undefined;

/** Writes the end of an attempt: steps, state, transitions, slots; and queues it again when it is retried. */
export async function writeEnd(tx: Tx, operation: EndingOperation, ending: Ending): Promise<void> {
  const { id, attempt, pool } = operation;
  const { state, reason } = ending;
  await tx.operationStep.updateMany({
    where: { operationId: id, attempt, state: "running" },
    data: { state, finishedAt: new Date() },
  });
  await recordTransition(tx, { operationId: id, attempt, state, reason });
  await tx.operation.update({
    where: { id },
    data: {
      state,
      reason,
      result: json(ending.result),
      error: json(ending.error),
      leaseUntil: null,
      waitsFor: null,
      finishedAt: new Date(),
    },
  });
  await freeSlots(tx, operation);
  if (!ending.retry) return;
  const again = `queued again: ${reason}`;
  await tx.operation.update({
    where: { id },
    data: {
      state: "queued",
      reason: again,
      workerId: null,
      progress: Prisma.DbNull,
      startedAt: null,
      finishedAt: null,
      cancelAskedAt: null,
      cancelAskedBy: null,
    },
  });
  await recordTransition(tx, { operationId: id, attempt, state: "queued", reason: again });
  await enqueue(tx, { operationId: id, pool });
}

function json(value: Record<string, unknown> | OperationError | null | undefined) {
  return value ? (JSON.parse(JSON.stringify(value)) as Prisma.InputJsonObject) : Prisma.DbNull;
}

/**
 * Ends an operation whose handler is not there to do it. The domain's rows are told in the same transaction if
 * this process knows the handler. What is left (telling, objects, sessions, folders) goes to a worker of the
 * pool: before the next attempt when there is one, as a job of its own otherwise.
 */
export async function endWithoutHandler(
  tx: Tx,
  operation: EndingOperation,
  ending: Ending & { state: Ended["state"] },
  handlerOf: HandlerOf | null,
): Promise<void> {
  await writeEnd(tx, operation, ending);
  const retry = ending.retry ?? false;
  const ended = endedOf(operation, ending.state, ending.reason, retry);
  if (handlerOf) await handlerOf(operation.kind)?.onEnd?.(tx, ended);
  await leaveCleanUp(tx, operation, ended, handlerOf !== null);
}

/** Notes that an attempt left something to tidy up, and sends a worker there. */
export async function leaveCleanUp(
  tx: Tx,
  operation: EndingOperation,
  ended: Ended,
  told: boolean,
): Promise<void> {
  const { attempt, pool } = operation;
  const { state, reason, retry } = ended;
  await tx.operationCleanUp.upsert({
    where: { operationId_attempt: { operationId: operation.id, attempt } },
    create: { operationId: operation.id, attempt, pool, state, reason, retry, told },
    update: { state, reason, retry },
  });
  if (!retry) await enqueueCleanUp(tx, { operationId: operation.id, attempt, pool });
}

export function endedOf(
  operation: EndingOperation,
  state: Ended["state"],
  reason: string,
  retry: boolean,
): Ended {
  return {
    operationId: operation.id,
    databaseId: operation.databaseId,
    backupId: operation.backupId,
    attempt: operation.attempt,
    state,
    reason,
    retry,
    payload: operation.payload,
    unsettled: operation.unsettled,
  };
}
