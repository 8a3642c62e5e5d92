import type { Db } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import type { EndedOperation } from "./handler.ts";
import { patientReads } from "./persist.ts";
import { finalStates } from "./schema.ts";

/** A NOTIFY can be missed while the connection is away. */
const LOOK_EVERY_MS = 2_000;

/** Wakes those who wait for news of an operation. */
export class OperationNews {
  #waiting = new Map<string, Set<() => void>>();

  /** Something about this operation has changed. */
  tell(operationId: string): void {
    for (const wake of this.#waiting.get(operationId) ?? []) wake();
  }

  /** Resolves at the next news, after `ms`, or when the signal is aborted. */
  async next(operationId: string, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const waiting = this.#waiting.get(operationId) ?? new Set();
    this.#waiting.set(operationId, waiting);
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(operationId);
        resolve();
      };
      const timer = setTimeout(done, ms);
      waiting.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

/** Waits for the end of an operation; `onLook` is called each time that it was seen alive. */
export async function waitForEnd(
  db: Db,
  news: OperationNews,
  operationId: string,
  signal: AbortSignal,
  onLook: () => void,
): Promise<EndedOperation> {
  const patient = patientReads(db, { signal, onWait: onLook });
  for (;;) {
    signal.throwIfAborted();
    const row = await patient.operation.findUnique({
      where: { id: operationId },
      select: { state: true, reason: true, result: true },
    });
    if (!row) throw new HoldfastError("not_found", "The operation that was waited for does not exist.");
    if (finalStates.includes(row.state)) {
      return {
        state: row.state as EndedOperation["state"],
        reason: row.reason,
        result: row.result as Record<string, unknown> | null,
      };
    }
    onLook();
    await news.next(operationId, LOOK_EVERY_MS, signal);
  }
}
