import { finished } from "node:stream/promises";
import { HoldfastError } from "../errors.ts";
import type { ObjectInfo, ObjectWriter } from "../storage/storage.ts";

/** One object on its way to one destination: a window of bytes that were handed over and not yet taken. */
export class ObjectLane {
  readonly #writer: ObjectWriter;
  readonly #windowBytes: number;
  #waiting = 0;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(writer: ObjectWriter, windowBytes: number) {
    this.#writer = writer;
    this.#windowBytes = windowBytes;
    writer.stream.on("error", (error) => this.#failed(error));
  }

  /** Whether the pipe has to wait for it (or should hear of its failure). */
  get full(): boolean {
    return this.#failure !== null || this.#waiting >= this.#windowBytes;
  }

  push(chunk: Buffer): void {
    if (this.#failure) return;
    this.#waiting += chunk.length;
    this.#writer.stream.write(chunk, (error) => {
      this.#waiting -= chunk.length;
      if (error) this.#failed(error);
      this.#wake?.();
    });
  }

  /** Waits until the window has room. Throws its failure, or when no byte was taken for `quietMs`. */
  async room(quietMs: number): Promise<void> {
    while (this.#failure === null && this.#waiting >= this.#windowBytes) {
      let timeout: NodeJS.Timeout | undefined;
      const late = await new Promise<boolean>((resolve) => {
        this.#wake = () => resolve(false);
        timeout = setTimeout(() => resolve(true), quietMs);
      });
      clearTimeout(timeout);
      this.#wake = null;
      if (late) this.#failed(tookNothing(quietMs));
    }
    if (this.#failure) throw this.#failure;
  }

  async commit(): Promise<ObjectInfo> {
    if (this.#failure) throw this.#failure;
    this.#writer.stream.end();
    await finished(this.#writer.stream, { readable: false });
    return await this.#writer.commit();
  }

  async abort(): Promise<void> {
    this.#failed(new Error("the object was given up"));
    await this.#writer.abort();
  }

  #failed(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }
}

/** The error for a destination that takes nothing any more. */
export function tookNothing(ms: number): HoldfastError {
  return new HoldfastError("unavailable", `It took no data for ${Math.round(ms / 1000)} s and was detached.`);
}
