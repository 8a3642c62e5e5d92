import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const MODULES = path.join(ROOT, "node_modules");

/** A failure that one sentence explains; `code` becomes the exit code. */
export class StartFailure extends Error {
  constructor(message, code = 1) {
    super(message);
    this.code = code;
  }
}
