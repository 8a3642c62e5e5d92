import { createHash } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { constants, createZstdCompress, type ZstdCompress } from "node:zlib";

const BATCH = 256 * 1024;
/** One is compressed on a thread while the other one is filled and hashed here. */
const BATCHES = 2;
/** zstd's level where none is asked for; why 1: docs/adr/0006. */
const LEVEL = 1;
/** Plain bytes between two collections of the young generation. */
const COLLECT_EVERY = 8 * 1024 * 1024;

/**
 * Compresses what passes with zstd (`level` 1 to 9), counted and hashed with sha256 on the way in. pg_dump writes some
 * 4 KiB at a time, so the input is gathered in two buffers that are used again and again: nothing is allocated
 * per byte. `onBytes` gets the count so far; `sum()` is for after the end.
 */
export class ZstdStage extends Transform {
  readonly #zstd: ZstdCompress;
  readonly #hash = createHash("sha256");
  readonly #free: Buffer[];
  readonly #onBytes: (bytes: number) => void;
  #filling: Buffer;
  #filled = 0;
  #bytes = 0;
  #collectAt = COLLECT_EVERY;
  #whenFree: (() => void) | null = null;
  #sha256: string | null = null;

  constructor(onBytes: (bytes: number) => void, level = LEVEL) {
    super({ readableHighWaterMark: 2 * BATCH, writableHighWaterMark: BATCH });
    this.#onBytes = onBytes;
    // Several threads inside node's zstd (nbWorkers) end in ERR_STREAM_PUSH_AFTER_EOF; one is enough here.
    this.#zstd = createZstdCompress({
      chunkSize: BATCH,
      params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
    });
    const buffers = Array.from({ length: BATCHES }, () => Buffer.allocUnsafeSlow(BATCH));
    this.#free = buffers.slice(1);
    this.#filling = buffers[0] ?? Buffer.allocUnsafeSlow(BATCH);
    this.#zstd.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) this.#zstd.pause();
    });
    this.#zstd.on("error", (error) => this.destroy(error));
  }

  sum(): { bytes: number; sha256: string } {
    if (this.#sha256 === null) throw new Error("the sum was asked for before the end");
    return { bytes: this.#bytes, sha256: this.#sha256 };
  }

  override _read(size: number): void {
    this.#zstd.resume();
    super._read(size);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#take(chunk, 0, done);
  }

  override _flush(done: TransformCallback): void {
    const rest = this.#filling.subarray(0, this.#filled);
    this.#count(rest);
    this.#sha256 = this.#hash.digest("hex");
    this.#zstd.once("end", () => done());
    this.#zstd.end(rest);
    this.#zstd.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#zstd.destroy();
    done(error);
  }

  #take(chunk: Buffer, from: number, done: TransformCallback): void {
    const copied = chunk.copy(this.#filling, this.#filled, from);
    this.#filled += copied;
    if (this.#filled < BATCH) {
      done();
      return;
    }
    const full = this.#filling;
    this.#count(full);
    this.#zstd.write(full, () => {
      this.#free.push(full);
      this.#whenFree?.();
    });
    this.#filled = 0;
    this.#nextBuffer(() => this.#take(chunk, from + copied, done));
  }

  #nextBuffer(go: () => void): void {
    const next = this.#free.pop();
    if (next) {
      this.#filling = next;
      go();
      return;
    }
    this.#whenFree = () => {
      this.#whenFree = null;
      this.#nextBuffer(go);
    };
  }

  #count(bytes: Buffer): void {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.#onBytes(this.#bytes);
    if (this.#bytes < this.#collectAt) return;
    this.#collectAt = this.#bytes + COLLECT_EVERY;
    // Each read from a pipe is a buffer of its own outside of the heap, which the collector hardly sees: left to
    // itself it waits for some 100 MB of them, then marks the whole heap.
    globalThis.gc?.({ type: "minor", execution: "sync" });
  }
}
