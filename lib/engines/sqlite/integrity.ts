import { open, stat } from "node:fs/promises";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { ProofCheck } from "../../proof/schema.ts";
import type { Access, WorkContext } from "../engine.ts";
import { fileOf } from "./connection.ts";
import { resultCode, SQLITE_CORRUPT, SQLITE_ERROR, SQLITE_NOTADB, sqliteError } from "./file-errors.ts";
import { firstValue, MAGIC, openLive, openReadOnly, rowsOf } from "./open.ts";

export interface Integrity {
  /** What PRAGMA integrity_check has to say; empty when it found the file sound, or could not be run. */
  problems: string[];
  /** Why it could not be run, although the file may be sound: an index needs a function of its program, say. */
  unchecked: string | null;
}

/** Checks every page, table and index. Throws `unavailable` for what says nothing about the file. */
export function integrityOf(
  file: string,
  options: { pragma?: "integrity_check" | "quick_check"; live?: boolean } = {},
): Integrity {
  const { pragma = "integrity_check", live = false } = options;
  try {
    const database = live ? openLive(file).database : openReadOnly(file);
    try {
      const lines = rowsOf(database, `PRAGMA ${pragma}(20)`).map(([line]) => String(line));
      return { problems: lines.length === 1 && lines[0] === "ok" ? [] : lines, unchecked: null };
    } finally {
      database.close();
    }
  } catch (error) {
    const known = sqliteError(error, file);
    const code = resultCode(error);
    if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB)
      return { problems: [known.message], unchecked: null };
    if (code === SQLITE_ERROR) return { problems: [], unchecked: messageOf(known.cause ?? known) };
    throw known;
  }
}

/**
 * Throws `invalid` unless the file is a complete SQLite database, and sound as far as that can be checked. Dumps are
 * never empty files.
 */
export async function assertWhole(file: string): Promise<void> {
  const damaged = (why: string) =>
    new HoldfastError("invalid", `The dump is damaged: ${why}.`, {
      remedy: "Use another copy or another backup; this one can't be restored.",
    });
  const header = Buffer.alloc(MAGIC.length);
  const handle = await open(file, "r");
  await handle.read(header, 0, header.length, 0).finally(() => handle.close());
  if (!header.equals(MAGIC)) throw damaged("it does not begin as an SQLite database does");
  const { problems } = integrityOf(file);
  if (problems.length > 0) throw damaged(problems.slice(0, 3).join("; ").replaceAll(`${file} `, "it "));
  const database = openReadOnly(file);
  try {
    const pages = Number(firstValue(database, "PRAGMA page_count"));
    const expected = pages * Number(firstValue(database, "PRAGMA page_size"));
    const { size } = await stat(file);
    if (expected !== size) throw damaged(`it has ${size} bytes, and its pages take ${expected}`);
  } finally {
    database.close();
  }
}

/** Integrity of tables and indexes, and foreign keys, of a restored copy. */
export async function checkRestoredSqlite(target: Access, work: WorkContext): Promise<ProofCheck[]> {
  work.signal.throwIfAborted();
  const file = fileOf(target);
  const integrity = integrityCheck(integrityOf(file));
  return integrity.state === "failed" ? [integrity] : [integrity, foreignKeys(file)];
}

function integrityCheck({ problems, unchecked }: Integrity): ProofCheck {
  const name = "integrity";
  if (problems.length > 0) return { name, state: "failed", detail: problems.slice(0, 3).join("; ") };
  if (unchecked !== null) {
    return { name, state: "unverifiable", detail: `integrity_check could not be run: ${unchecked}` };
  }
  return { name, state: "passed", detail: "integrity_check found tables and indexes sound" };
}

/** SQLite lets rows break foreign keys while they are off: that is how the source is, no fault of the backup. */
function foreignKeys(file: string): ProofCheck {
  const name = "foreign keys";
  const database = openReadOnly(file);
  try {
    let broken = 0;
    for (const _row of database.prepare("PRAGMA foreign_key_check").iterate()) broken += 1;
    if (broken === 0) return { name, state: "passed", detail: "every row's foreign keys point at rows" };
    return {
      name,
      state: "not compared",
      detail: `${broken} rows break a foreign key, as SQLite allows while they are off`,
    };
  } catch (error) {
    return { name, state: "unverifiable", detail: sqliteError(error, file).message };
  } finally {
    database.close();
  }
}
