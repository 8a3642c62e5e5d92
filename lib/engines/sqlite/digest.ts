import { hash } from "node:crypto";

const NULL = 0;
const INTEGER = 1;
const REAL = 2;
const TEXT = 3;
const BLOB = 4;

/**
 * Sums 64-bit hashes of rows, so that their order does not matter and duplicates count. A row hash is the first
 * 8 bytes, as an unsigned big-endian number, of the SHA-256 of its values, each as a type byte and: nothing (NULL),
 * 8 bytes (INTEGER, signed; REAL, IEEE 754), or a 4-byte length and the bytes (TEXT, BLOB).
 */
export class RowDigest {
  #sum = 0n;
  #buffer = Buffer.allocUnsafe(4096);
  rows = 0;

  /** Values come in pairs of storage class and value; TEXT as its bytes, so that ill-formed text keeps them. */
  add(pairs: readonly unknown[]): void {
    let at = 0;
    for (let index = 0; index < pairs.length; index += 2) {
      const value = pairs[index + 1];
      const bytes = value instanceof Uint8Array ? value : null;
      this.#reserve(at, 9 + (bytes?.length ?? 0));
      switch (pairs[index]) {
        case "null":
          at = this.#buffer.writeUInt8(NULL, at);
          break;
        case "integer":
          at = this.#buffer.writeBigInt64BE(BigInt(value as bigint), this.#buffer.writeUInt8(INTEGER, at));
          break;
        case "real":
          at = this.#buffer.writeDoubleBE(Number(value), this.#buffer.writeUInt8(REAL, at));
          break;
        default:
          at = this.#buffer.writeUInt8(pairs[index] === "text" ? TEXT : BLOB, at);
          at = this.#buffer.writeUInt32BE(bytes?.length ?? 0, at);
          if (bytes) this.#buffer.set(bytes, at);
          at += bytes?.length ?? 0;
      }
    }
    this.#sum += hash("sha256", this.#buffer.subarray(0, at), "buffer").readBigUInt64BE(0);
    this.rows += 1;
  }

  /** The sum as decimal text. */
  value(): string {
    return this.#sum.toString();
  }

  #reserve(at: number, more: number): void {
    if (at + more <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + more));
    this.#buffer.copy(larger, 0, 0, at);
    this.#buffer = larger;
  }
}
