import { accessSync, closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { HoldfastError } from "../../errors.ts";
import { companionsOf, strangersError } from "./companions.ts";
import { isLocked, sqliteError, unreadable } from "./file-errors.ts";

/** Of the SQLite that comes with Node. */
export const SQLITE_VERSION = process.versions.sqlite ?? "3";

/** First bytes of every SQLite 3 file (sqlite.org/fileformat2.html, 1.3.1). */
export const MAGIC = Buffer.from("SQLite format 3\0", "latin1");

/** What is done to every file that is read, in words, for the record of a proof. */
export const PRECAUTIONS =
  "read-only, trusted_schema off, defensive on, cell sizes checked, no extensions, no memory mapping";

/**
 * Opens a copy of ours, or a file that nobody else writes, and that may be hostile, for reading. Without a WAL
 * beside it, it is opened as immutable: not even a lock or a side file is made. Throws `unavailable` in words.
 */
export function openReadOnly(file: string): DatabaseSync {
  return openWith(file, { readOnly: true, immutable: isAlone(file) || !existsSync(`${file}-wal`) });
}

export interface LiveDatabase {
  database: DatabaseSync;
  /** Opened without locks: whoever copies must see that the file stayed as it was. */
  unlocked: boolean;
}

/**
 * Opens a file that programs may be writing, for reading, and leaves nothing beside it. A file in WAL mode without
 * a WAL is opened as a writer would (yet query-only), because only writers take the side files away again that
 * SQLite makes; where the worker may not write, without locks. So is one with somebody else's file in the place of
 * its WAL or journal, which SQLite would delete. Throws `unavailable` in words.
 */
export function openLive(file: string): LiveDatabase {
  if (isAlone(file)) return { database: openWith(file, { readOnly: true, immutable: true }), unlocked: true };
  if (!isWalMode(file) || existsSync(`${file}-wal`)) {
    return { database: openWith(file, { readOnly: true, immutable: false }), unlocked: false };
  }
  const writable = [file, path.dirname(file)].every((at) => isWritable(at));
  const options = writable ? { readOnly: false, immutable: false } : { readOnly: true, immutable: true };
  return { database: openWith(file, options), unlocked: !writable };
}

/**
 * Whether SQLite must not look beside the file, because what lies there is somebody else's. Throws `conflict` when
 * there is something of its own as well, without which the file is not whole.
 */
function isAlone(file: string): boolean {
  const { own, strangers } = companionsOf(file);
  if (strangers.length === 0) return false;
  if (own.length > 0) throw strangersError(file, strangers);
  return true;
}

function openWith(file: string, options: { readOnly: boolean; immutable: boolean }): DatabaseSync {
  const url = pathToFileURL(file);
  if (options.immutable) url.searchParams.set("immutable", "1");
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(url, {
      readOnly: options.readOnly,
      defensive: true,
      allowExtension: false,
      readBigInts: true,
      returnArrays: true,
      // SQLite waits by sleeping, and nothing else in this process would run meanwhile: see whenUnlocked.
      timeout: 0,
    });
    database.exec(
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA query_only = ON",
    );
    return database;
  } catch (error) {
    database?.close();
    throw sqliteError(error, file);
  }
}

/** Bytes 18 and 19 of the header are 2 in WAL mode (sqlite.org/fileformat2.html, 1.3.3). */
function isWalMode(file: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    throw unreadable(error, file);
  }
  const header = Buffer.alloc(20);
  try {
    return readSync(descriptor, header, 0, 20, 0) === 20 && header[18] === 2;
  } finally {
    closeSync(descriptor);
  }
}

function isWritable(at: string): boolean {
  try {
    accessSync(at, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** All rows of a query as arrays; integers are bigints. */
export function rowsOf(database: DatabaseSync, sql: string): unknown[][] {
  // The statement's settings come from openReadOnly: each row is an array.
  return database.prepare(sql).all() as unknown as unknown[][];
}

/** First value of the first row, as text; "" for none. */
export function firstValue(database: DatabaseSync, sql: string): string {
  return String(rowsOf(database, sql)[0]?.[0] ?? "");
}

/** Tries again until no other program's lock is in the way, for as long as that; then throws as the action did. */
export async function whenUnlocked<T>(action: () => T, waitMs: number, signal: AbortSignal): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    signal.throwIfAborted();
    try {
      return action();
    } catch (error) {
      if (!isLocked(error) || performance.now() >= deadline) throw error;
      await delay(50, undefined, { signal });
    }
  }
}

/** Throws `invalid` unless the file starts as an SQLite database does. */
export async function assertHeader(file: string): Promise<void> {
  const handle = await open(file, "r").catch((error: unknown) => {
    throw unreadable(error, file);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    if (bytesRead === 16 && buffer.equals(MAGIC)) return;
    throw new HoldfastError("invalid", `${file} is not an SQLite database: its first bytes are others.`, {
      remedy: "Give the path of an unencrypted SQLite 3 file.",
    });
  } finally {
    await handle.close();
  }
}

/** An SQL identifier, always quoted. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
