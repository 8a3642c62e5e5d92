import type { Tx } from "../db/client.ts";

/** Hands a queued operation to the workers of a pool, in the caller's transaction. */
export async function enqueue(_tx: Tx, _job: { operationId: string; pool: string }): Promise<void> {
  throw new Error("not connected");
}
