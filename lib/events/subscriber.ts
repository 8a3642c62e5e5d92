import type { LiveEventMessage } from "./schema.ts";
import { topics } from "./schema.ts";

/** More different changes than this in one go, and it is cheaper to read everything anew. */
const MOST_PENDING = 500;

/**
 * What one client has still to be told. The same change is kept once, and too many become "everything", so that
 * a client that reads slowly costs no more than that.
 */
export class Subscriber {
  #pending = new Map<string, LiveEventMessage>();
  #watermark = 0n;
  #told = -1n;
  #wake: (() => void) | null = null;

  push(message: LiveEventMessage): void {
    this.#pending.set(`${message.topic} ${message.objectId ?? ""}`, message);
    if (this.#pending.size > MOST_PENDING) this.everything();
    this.#wake?.();
  }

  everything(): void {
    this.#pending = new Map(topics.map((topic) => [topic, { topic, objectId: null }]));
    this.#wake?.();
  }

  /** Everything up to this id has been pushed. */
  seen(watermark: bigint): void {
    this.#watermark = watermark;
  }

  /** Takes what is pending, waiting for it up to `ms`; `id` is what the client may resume after. */
  async next(ms: number, signal: AbortSignal): Promise<{ messages: LiveEventMessage[]; id: string | null }> {
    if (this.#pending.size === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          this.#wake = null;
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener("abort", done, { once: true });
        this.#wake = done;
      });
      // Pushed one by one in the same turn: let them all arrive.
      await Promise.resolve();
    }
    const messages = [...this.#pending.values()];
    this.#pending = new Map();
    const id = this.#watermark > this.#told ? this.#watermark.toString() : null;
    this.#told = this.#watermark;
    return { messages, id };
  }
}
