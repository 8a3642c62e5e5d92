import type { Readable } from "node:stream";

const TAIL_CHARS = 64 * 1024;
const REDACTED = "[redacted]";

/** Replaces every given secret in a text; empty secrets are ignored. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  let result = text;
  const longestFirst = secrets.filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
  for (const secret of longestFirst) result = result.replaceAll(secret, REDACTED);
  return result;
}

/** Keeps the last 64 KiB of a stream of text, however much comes, and hands out whole lines on the way. */
export class StderrTail {
  readonly #secrets: readonly string[];
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #longest: number;
  #kept = "";
  #cut = false;
  #line = "";

  constructor(secrets: readonly string[], onLine?: (line: string) => void) {
    this.#secrets = secrets;
    this.#onLine = onLine;
    this.#longest = Math.max(0, ...secrets.map((secret) => secret.length));
  }

  /** Reads the stream to its end. */
  follow(stream: Readable): void {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#add(text));
    stream.on("end", () => this.#flushLine());
    // The exit of the program tells what happened.
    stream.on("error", () => undefined);
  }

  /** The tail without secrets; a secret that the cut went through is dropped as well. */
  text(): string {
    const clean = redactSecrets(this.#kept, this.#secrets);
    return (this.#cut ? clean.slice(this.#longest) : clean).slice(-TAIL_CHARS);
  }

  #add(text: string): void {
    const keep = TAIL_CHARS + this.#longest;
    this.#kept += text;
    if (this.#kept.length > keep) {
      this.#kept = this.#kept.slice(-keep);
      this.#cut = true;
    }
    if (this.#onLine) this.#addLines(text);
  }

  #addLines(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = (lines.pop() ?? "").slice(-TAIL_CHARS);
    for (const line of lines) this.#onLine?.(redactSecrets(line, this.#secrets));
  }

  #flushLine(): void {
    if (this.#line !== "") this.#onLine?.(redactSecrets(this.#line, this.#secrets));
    this.#line = "";
  }
}
