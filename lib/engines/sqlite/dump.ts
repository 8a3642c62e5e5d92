import { createReadStream } from "node:fs";
import { rm, stat, statfs } from "node:fs/promises";
import path from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { finished } from "node:stream/promises";
import { HoldfastError } from "../../errors.ts";
import type { Access, DumpOptions, DumpSession, WorkContext } from "../engine.ts";
import { sqliteError } from "./file-errors.ts";
import { fingerprintFile } from "./fingerprint.ts";
import { integrityOf } from "./integrity.ts";
import type { LiveDatabase } from "./open.ts";
import { openLive, rowsOf, whenUnlocked } from "./open.ts";
import { probeSqlite } from "./probe.ts";

/** Pages between two reports; a cancelled backup stops within as many. */
const PAGES_PER_STEP = 1_000;
const SPARE_BYTES = 64 * 1024 ** 2;

/**
 * Copies the database with SQLite's online backup, inside one read transaction, checks the copy's integrity, and
 * hands out that copy: dump and fingerprint are of the same bytes. Throws `unavailable` when the file is locked or
 * the disk too small, `invalid` when the file is damaged.
 */
export async function beginSqliteDump(
  access: Access,
  options: DumpOptions,
  work: WorkContext,
): Promise<DumpSession> {
  const info = await probeSqlite(access, work.signal);
  const file = info.databaseName;
  await assertRoom(work.tempDir, info.sizeBytes ?? 0);
  const copy = path.join(work.tempDir, "copy.sqlite");
  const remove = () => rm(copy, { force: true });
  try {
    await copyOnline(file, copy, options.lockWaitMs, work);
    const { problems, unchecked } = integrityOf(copy);
    if (unchecked !== null) work.log(`The integrity of ${file} can't be checked: ${unchecked}.`, "warn");
    if (problems.length > 0) {
      throw new HoldfastError("invalid", `${file} is damaged: ${problems.slice(0, 3).join("; ")}`, {
        remedy: "Go back to the last proven backup, or save what can be read: sqlite3 FILE .recover",
      });
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    info,
    tools: { sqlite: info.version },
    artefacts: [
      {
        name: "dump",
        file: "dump.sqlite",
        open() {
          const stream = createReadStream(copy, { highWaterMark: 1024 * 1024 });
          const done = finished(stream, { writable: false });
          // A reader that gives up shows it on the stream; `done` tells those who wait for it.
          done.catch(() => undefined);
          return { stream, done };
        },
      },
    ],
    fingerprint: () => fingerprintFile(copy, { digestBudgetMs: options.digestBudgetMs }, work),
    close: remove,
  };
}

async function copyOnline(file: string, copy: string, lockWaitMs: number, work: WorkContext): Promise<void> {
  const before = await stat(file, { bigint: true });
  const { database: source, unlocked } = await whenUnlocked(
    () => openSnapshot(file),
    lockWaitMs,
    work.signal,
  );
  try {
    const pageSize = Number(rowsOf(source, "PRAGMA page_size")[0]?.[0] ?? 4096);
    await backup(source, copy, {
      rate: PAGES_PER_STEP,
      progress: ({ totalPages, remainingPages }) => {
        work.signal.throwIfAborted();
        const done = (totalPages - remainingPages) * pageSize;
        work.progress({ label: "Copy", done, total: totalPages * pageSize, unit: "bytes" });
      },
    });
    work.signal.throwIfAborted();
  } catch (error) {
    work.signal.throwIfAborted();
    throw sqliteError(error, file);
  } finally {
    source.close();
  }
  const after = await stat(file, { bigint: true });
  if (unlocked && (after.mtimeNs !== before.mtimeNs || after.size !== before.size)) {
    throw new HoldfastError("unavailable", `${file} changed while it was copied.`, {
      remedy: "Let the worker's user write to the file's folder: SQLite's locks need that in WAL mode.",
    });
  }
  const { size } = await stat(copy);
  // To SQLite an empty file is a database, but nobody could tell it from a lost dump: this writes the header.
  if (size === 0) writeHeader(copy);
  work.log(`Copied ${file}: ${size} bytes`);
}

function writeHeader(copy: string): void {
  const database = new DatabaseSync(copy);
  try {
    database.exec("VACUUM");
  } finally {
    database.close();
  }
}

/** The backup then reads this transaction's snapshot and never starts over because of other writers. */
function openSnapshot(file: string): LiveDatabase {
  const live = openLive(file);
  try {
    live.database.exec("BEGIN");
    rowsOf(live.database, "SELECT count(*) FROM main.sqlite_schema");
    return live;
  } catch (error) {
    live.database.close();
    throw sqliteError(error, file);
  }
}

/** Throws `unavailable` when a file of that size would not fit below the folder. */
export async function assertRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes + SPARE_BYTES) return;
  throw new HoldfastError(
    "unavailable",
    `${folder} has ${Math.floor((bavail * bsize) / 1e6)} MB free, and a copy takes ${Math.ceil(bytes / 1e6)} MB.`,
    { remedy: "Make room there, or set HOLDFAST_TEMP to a folder with more." },
  );
}
