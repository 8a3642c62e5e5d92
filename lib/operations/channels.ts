import type { Tx } from "../db/client.ts";

/** Payload: id of an operation whose state changed, or that somebody asked to cancel. */
export const OPERATIONS_CHANNEL = "holdfast_operations";
/** Payload: id of an operation that has new log lines. */
export const LOG_CHANNEL = "holdfast_log";

/** Tells workers and waiting parents, on commit, to look at this operation. */
export async function notifyOperation(tx: Tx, operationId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify(${OPERATIONS_CHANNEL}, ${operationId})`;
}
