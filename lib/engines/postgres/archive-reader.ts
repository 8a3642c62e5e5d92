/** Thrown while an archive's bytes have not all come yet. */
const MORE = Symbol("more bytes are needed");

/** Reads the primitive values of a pg_dump custom archive from bytes that come in pieces. */
export class ArchiveReader {
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  intSize = 4;
  offsetSize = 8;

  append(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /** Runs `read`; if bytes are missing, forgets what it consumed and returns null. */
  attempt<T>(read: () => T): T | null {
    const start = this.#at;
    try {
      const value = read();
      this.#buffer = this.#buffer.subarray(this.#at);
      this.#at = 0;
      return value;
    } catch (error) {
      if (error !== MORE) throw error;
      this.#at = start;
      return null;
    }
  }

  bytes(count: number): Buffer {
    if (this.#buffer.length - this.#at < count) throw MORE;
    this.#at += count;
    return this.#buffer.subarray(this.#at - count, this.#at);
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0;
  }

  /** A sign byte, then the value, least significant byte first. */
  int(): number {
    const negative = this.byte() !== 0;
    const value = this.bytes(this.intSize).readUIntLE(0, this.intSize);
    return negative ? -value : value;
  }

  /** A length, then UTF-8; -1 stands for none. */
  text(): string | null {
    const length = this.int();
    return length < 0 ? null : this.bytes(length).toString("utf8");
  }

  /** A flag byte, then the position of the data, unused here. */
  offset(): void {
    this.bytes(1 + this.offsetSize);
  }
}
