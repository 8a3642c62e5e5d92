import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import path from "node:path";

const LARGEST_BYTES = 20 * 1024 * 1024;

/**
 * Appends to a file; at 20 MiB it becomes `<file>.1`, replacing the last one. A log that cannot be written (disk
 * full, folder gone) is no reason to end what it tells about: the text is lost.
 */
export class LogFile {
  readonly path: string;
  #bytes: number;

  constructor(file: string) {
    this.path = file;
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    this.#bytes = existsSync(file) ? statSync(file).size : 0;
  }

  write(text: string): void {
    try {
      if (this.#bytes > LARGEST_BYTES) {
        renameSync(this.path, `${this.path}.1`);
        this.#bytes = 0;
      }
      appendFileSync(this.path, text, { mode: 0o600 });
      this.#bytes += Buffer.byteLength(text);
    } catch {
      // See above.
    }
  }
}
