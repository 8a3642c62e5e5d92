import { createWriteStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HoldfastError } from "../../errors.ts";
import type { ProofCheck } from "../../proof/schema.ts";
import type { Access, WorkContext } from "../engine.ts";
import { fileOf } from "./connection.ts";
import { firstValue, MAGIC, openLive, openReadOnly, rowsOf, sqliteError } from "./open.ts";

/** What PRAGMA integrity_check has to say; empty when the file is sound. A file that can't be read is one problem. */
export function integrityProblems(
  file: string,
  options: { pragma?: "integrity_check" | "quick_check"; live?: boolean } = {},
): string[] {
  const { pragma = "integrity_check", live = false } = options;
  try {
    const database = live ? openLive(file).database : openReadOnly(file);
    try {
      const lines = rowsOf(database, `PRAGMA ${pragma}(20)`).map(([line]) => String(line));
      return lines.length === 1 && lines[0] === "ok" ? [] : lines;
    } finally {
      database.close();
    }
  } catch (error) {
    return [sqliteError(error, file).message];
  }
}

/** Reads a plain dump to its end: header, every page, integrity. Throws `invalid` with what is wrong. */
export async function readThroughSqlite(dump: Readable, work: WorkContext): Promise<void> {
  const file = path.join(work.tempDir, "read-through.sqlite");
  try {
    await pipeline(dump, createWriteStream(file, { mode: 0o600 }), { signal: work.signal });
    await assertWhole(file);
  } finally {
    await rm(file, { force: true });
  }
}

/** Throws `invalid` unless the file is a complete and sound SQLite database. Dumps are never empty files. */
export async function assertWhole(file: string): Promise<void> {
  const damaged = (why: string) =>
    new HoldfastError("invalid", `The dump is damaged: ${why}.`, {
      remedy: "Use another copy or another backup; this one can't be restored.",
    });
  const header = Buffer.alloc(MAGIC.length);
  const handle = await open(file, "r");
  await handle.read(header, 0, header.length, 0).finally(() => handle.close());
  if (!header.equals(MAGIC)) throw damaged("it does not begin as an SQLite database does");
  const problems = integrityProblems(file);
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
  const problems = integrityProblems(file);
  const checks: ProofCheck[] = [
    problems.length === 0
      ? { name: "integrity", state: "passed", detail: "integrity_check found tables and indexes sound" }
      : { name: "integrity", state: "failed", detail: problems.slice(0, 3).join("; ") },
  ];
  if (problems.length === 0) checks.push(foreignKeys(file));
  return checks;
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
