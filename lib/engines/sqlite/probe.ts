import { realpath, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { HoldfastError } from "../../errors.ts";
import type { Access, ServerInfo } from "../engine.ts";
import { fileOf } from "./connection.ts";
import { assertHeader, firstValue, openLive, sqliteError, unreadable } from "./open.ts";

/** Looks at the file and reads its header. Throws `unavailable` when it is missing, unreadable or no SQLite file. */
export async function probeSqlite(access: Access, signal: AbortSignal): Promise<ServerInfo> {
  signal.throwIfAborted();
  const started = performance.now();
  const given = fileOf(access);
  const file = await realpath(given).catch((error: unknown) => {
    throw unreadable(error, given);
  });
  const found = await stat(file, { bigint: true });
  if (!found.isFile()) throw new HoldfastError("unavailable", `${file} is not a file.`);
  // An empty file is an empty database to SQLite.
  if (found.size > 0n) await assertHeader(file);
  const { database } = openLive(file);
  try {
    const pages = Number(firstValue(database, "PRAGMA page_count"));
    const pageSize = Number(firstValue(database, "PRAGMA page_size"));
    const version = process.versions.sqlite ?? "3";
    return {
      identity: `sqlite:${hostname()}:${found.dev}:${found.ino}`,
      databaseName: file,
      version,
      major: Number.parseInt(version, 10),
      sizeBytes: pages * pageSize,
      encoding: firstValue(database, "PRAGMA encoding"),
      collation: null,
      latencyMs: performance.now() - started,
    };
  } catch (error) {
    throw sqliteError(error, file);
  } finally {
    database.close();
  }
}
