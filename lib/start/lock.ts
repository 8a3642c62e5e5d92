import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../errors.ts";

export interface Lock {
  release(): void;
}

/**
 * Takes a lock that ends with this process, however it ends: SQLite's own lock on an empty file (Node has no
 * flock). Returns null when another process holds it.
 */
export function takeLock(file: string): Lock | null {
  // Nobody else may open it: a reader's lock would keep ours out.
  closeSync(openSync(file, "a", 0o600));
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(messageOf(error))) return null;
    throw error;
  }
}
