import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

const SKIPPED_FOLDERS = new Set(["node_modules", "generated", "testing"]);
const TEST_FILE = /\.(test|contract)\.tsx?$/;

function* filesBelow(at: string): Generator<string> {
  const found = statSync(at, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) {
    yield at;
    return;
  }
  for (const name of readdirSync(at).sort()) {
    if (!SKIPPED_FOLDERS.has(name) && !TEST_FILE.test(name)) yield* filesBelow(path.join(at, name));
  }
}

/**
 * sha256 over names and contents of the given files and folders (tests and generated code left out; what is not
 * there counts as empty), so that a clone, a copy and an image of the same sources agree.
 */
export function contentStamp(root: string, inputs: readonly string[]): string {
  const hash = createHash("sha256");
  for (const input of inputs) {
    for (const file of filesBelow(path.join(root, input))) {
      const content = readFileSync(file);
      hash.update(`${path.relative(root, file)}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest("hex");
}
