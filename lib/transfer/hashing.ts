import { createHash } from "node:crypto";
import { Transform } from "node:stream";

/** Counts and hashes what passes. `sum()` once the stream has ended. */
export interface HashTap {
  stream: Transform;
  sum(): { bytes: number; sha256: string };
  /** All bytes up to the end have passed. */
  ended(): boolean;
}

const LARGEST_PIECE = 256 * 1024;

/** Passes bytes on unchanged, hashed with sha256. `onBytes` gets the count so far. */
export function hashTap(onBytes?: (bytes: number) => void): HashTap {
  const hash = createHash("sha256");
  let bytes = 0;
  let ended = false;
  let digest: string | null = null;
  const stream = new Transform({
    readableHighWaterMark: LARGEST_PIECE,
    writableHighWaterMark: LARGEST_PIECE,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes?.(bytes);
      done(null, chunk);
    },
    flush(done) {
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
