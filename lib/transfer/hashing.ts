import { createHash } from "node:crypto";
import { Transform } from "node:stream";

/** Counts and hashes what passes. `sum()` once the stream has ended. */
export interface HashTap {
  stream: Transform;
  sum(): { bytes: number; sha256: string };
  /** All bytes up to the end have passed. */
  ended(): boolean;
}

const BATCH = 256 * 1024;

/**
 * Passes bytes on unchanged, hashed with sha256 and gathered to pieces of 256 KiB: pg_dump writes some
 * 4 KiB at a time, and each piece costs a round through the stages behind. `onBytes` gets the count so far.
 */
export function hashTap(onBytes?: (bytes: number) => void): HashTap {
  const hash = createHash("sha256");
  let bytes = 0;
  let ended = false;
  let digest: string | null = null;
  let held: Buffer[] = [];
  let heldBytes = 0;
  const take = (): Buffer => {
    const piece = held.length === 1 && held[0] ? held[0] : Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
    hash.update(piece);
    bytes += piece.length;
    onBytes?.(bytes);
    return piece;
  };
  const stream = new Transform({
    readableHighWaterMark: BATCH,
    writableHighWaterMark: BATCH,
    transform(chunk: Buffer, _encoding, done) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes >= BATCH) this.push(take());
      done();
    },
    flush(done) {
      if (heldBytes > 0) this.push(take());
      ended = true;
      done();
    },
  });
  return {
    stream,
    ended: () => ended,
    sum() {
      if (!ended) throw new Error("the sum was asked for before the end");
      digest ??= hash.digest("hex");
      return { bytes, sha256: digest };
    },
  };
}
