import { realpath, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { HoldfastError } from "../../errors.ts";
import type { Access, ServerInfo } from "../engine.ts";
import { fileOf } from "./connection.ts";
import { sqliteError, unreadable } from "./file-errors.ts";
import { assertHeader, firstValue, openLive, SQLITE_VERSION, whenUnlocked } from "./open.ts";

/** A writer holds its lock for moments; whoever holds it longer is worth telling. */
const LOCK_WAIT_MS = 1_000;

/** Looks at the file and reads its header. Throws `unavailable` when it is missing, unreadable or no SQLite file. */
export async function probeSqlite(access: Access, signal: AbortSignal): Promise<ServerInfo> {
  signal.throwIfAborted();
  const started = performance.now();
  const { file, found, identity } = await findFile(access);
  // An empty file is an empty database to SQLite.
  if (found.size > 0n) await assertHeader(file);
  const read = () => readHeader(file);
  return {
    identity,
    databaseName: file,
    version: SQLITE_VERSION,
    major: Number.parseInt(SQLITE_VERSION, 10),
    ...(await whenUnlocked(read, LOCK_WAIT_MS, signal)),
    collation: null,
    latencyMs: performance.now() - started,
  };
}

/** The file's identity alone, without opening it. */
export async function identifySqlite(access: Access, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  return (await findFile(access)).identity;
}

/** The file itself, whatever links lead to it; its identity is the same under every name that it has. */
async function findFile(access: Access) {
  const given = fileOf(access);
  const file = await realpath(given).catch((error: unknown) => {
    throw unreadable(error, given);
  });
  const found = await stat(file, { bigint: true });
  if (!found.isFile()) {
    throw new HoldfastError("unavailable", `${file} is not a file.`, {
      remedy: "Give the path of the SQLite file itself.",
    });
  }
  return { file, found, identity: `sqlite:${hostname()}:${found.dev}:${found.ino}` };
}

function readHeader(file: string): { sizeBytes: number; encoding: string } {
  const { database } = openLive(file);
  try {
    const pages = Number(firstValue(database, "PRAGMA page_count"));
    const pageSize = Number(firstValue(database, "PRAGMA page_size"));
    return { sizeBytes: pages * pageSize, encoding: firstValue(database, "PRAGMA encoding") };
  } catch (error) {
    throw sqliteError(error, file);
  } finally {
    database.close();
  }
}
