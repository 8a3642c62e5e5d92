import type { Seen } from "./claim.ts";

/**
 * Servers that are asked who they are before operations on them are claimed, so that one which is slow to answer
 * holds up no other operation.
 */
export class ServerQuestions {
  readonly #asked = new Map<string, { stop: AbortController; done: Promise<void> }>();

  /**
   * Asks for an operation, then calls `answer`, which must not reject: with what was seen, or with null when it is
   * asked for already or this was stopped.
   */
  ask(
    operationId: string,
    question: (signal: AbortSignal) => Promise<string>,
    answer: (seen: Seen | null) => Promise<void>,
  ): void {
    if (this.#asked.has(operationId)) {
      void answer(null);
      return;
    }
    const stop = new AbortController();
    const done = question(stop.signal)
      .then(
        (identity): Seen => ({ identity }),
        (error: unknown): Seen => ({ error }),
      )
      .then((seen) => answer(stop.signal.aborted ? null : seen))
      .finally(() => this.#asked.delete(operationId));
    this.#asked.set(operationId, { stop, done });
  }

  /** Resolves when nothing is asked any more. */
  async stop(): Promise<void> {
    for (const { stop } of this.#asked.values()) stop.abort();
    await Promise.all([...this.#asked.values()].map(({ done }) => done));
  }
}
