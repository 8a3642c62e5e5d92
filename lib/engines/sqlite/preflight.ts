import { access as canAccess, constants, realpath, stat, statfs } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../errors.ts";
import type { Access, EngineFinding } from "../engine.ts";
import { companionsOf } from "./companions.ts";
import { fileOf } from "./connection.ts";
import { sqliteError } from "./file-errors.ts";
import { filesInUse } from "./files-in-use.ts";
import type { Integrity } from "./integrity.ts";
import { integrityOf } from "./integrity.ts";
import { assertHeader, firstValue, openLive, quoteName, rowsOf } from "./open.ts";

/** quick_check reads every page: above this size it waits for the backup, which checks its own copy. */
const QUICK_CHECK_BYTES = 512 * 1024 ** 2;
/** A WAL this large has not been checkpointed for long. */
const LARGE_WAL_BYTES = 256 * 1024 ** 2;

/** Everything missing or risky about backing up this file; changes nothing. */
export async function preflightSqlite(access: Access, signal: AbortSignal): Promise<EngineFinding[]> {
  const given = fileOf(access);
  const readable = await readableFinding(given);
  if (readable.state === "problem") return [readable];
  const file = await realpath(given);
  const findings = [readable, await ownerFinding(file), await spaceFinding(file), besideFinding(file)];
  signal.throwIfAborted();
  let database: DatabaseSync;
  try {
    ({ database } = openLive(file));
  } catch (error) {
    return [...findings, lockFinding(sqliteError(error, file).message)];
  }
  try {
    const mode = firstValue(database, "PRAGMA journal_mode");
    findings.push(
      lockFinding(readProblem(database)),
      await journalFinding(file, mode),
      modulesFinding(database),
    );
  } catch (error) {
    findings.push(lockFinding(sqliteError(error, file).message));
  } finally {
    database.close();
  }
  signal.throwIfAborted();
  return [...findings, await usersFinding(file), await integrityFinding(file)];
}

async function readableFinding(file: string): Promise<EngineFinding> {
  const why = "A file that can't be read can't be backed up.";
  const common = { id: "readable", title: "File is readable", why };
  try {
    await canAccess(file, constants.R_OK);
    const { size } = await stat(file);
    if (size > 0) await assertHeader(file);
    return { ...common, state: "ok", detail: `${file}, ${size} bytes` };
  } catch (error) {
    const detail = (error as NodeJS.ErrnoException).code
      ? `${userInfo().username} can't read ${file}: ${messageOf(error)}`
      : messageOf(error);
    return { ...common, state: "problem", detail };
  }
}

async function ownerFinding(file: string): Promise<EngineFinding> {
  const { uid, mode } = await stat(file);
  const open = (mode & 0o002) !== 0;
  return {
    id: "owner",
    title: "Owner and mode",
    state: open ? "warning" : "ok",
    detail: `owned by uid ${uid}, mode ${(mode & 0o777).toString(8)}${open ? ": every user of the machine may write to it" : ""}`,
    why: "A restore over this file keeps its owner and mode.",
  };
}

async function spaceFinding(file: string): Promise<EngineFinding> {
  const folder = process.env.HOLDFAST_TEMP ?? tmpdir();
  const { size } = await stat(file);
  const system = await statfs(folder).catch(() => null);
  const free = system ? system.bavail * system.bsize : null;
  const need = size * 2;
  const state = free === null ? "unknown" : free > need ? "ok" : free > size ? "warning" : "problem";
  return {
    id: "space",
    title: "Room for a copy",
    state,
    detail: `${folder} has ${free === null ? "an unknown amount" : `${Math.floor(free / 1e6)} MB`} free; the file has ${Math.ceil(size / 1e6)} MB`,
    why: "A backup first copies the file, and a proof restores that copy: each needs as much room as the file.",
  };
}

function besideFinding(file: string): EngineFinding {
  const { strangers } = companionsOf(file);
  const names = strangers.map((at) => path.basename(at)).join(" and ");
  return {
    id: "beside",
    title: "Files beside it",
    state: strangers.length === 0 ? "ok" : "warning",
    detail:
      strangers.length === 0
        ? "nothing of somebody else's where SQLite keeps its own"
        : `${names} is no file of SQLite's, and has the name of one: it is read past; move or rename it`,
    why: "SQLite takes what has such a name for a part of the database, and deletes it when it opens that to write.",
  };
}

function readProblem(database: DatabaseSync): string | null {
  try {
    rowsOf(database, "SELECT count(*) FROM main.sqlite_schema");
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function lockFinding(problem: string | null): EngineFinding {
  return {
    id: "lock",
    title: "Can be read now",
    state: problem === null ? "ok" : "problem",
    detail: problem ?? "no program holds an exclusive lock",
    why: "A backup waits for a lock only as long as its lock limit.",
  };
}

async function journalFinding(file: string, mode: string): Promise<EngineFinding> {
  const at = companionsOf(file).own.find((one) => one.endsWith("-wal"));
  const wal = at
    ? await stat(at)
        .then((found) => found.size)
        .catch(() => 0)
    : 0;
  const why = "In WAL mode a backup never makes writers wait; in the others, writers wait while it copies.";
  const common = { id: "journal", title: "Journal mode", why };
  if (wal > LARGE_WAL_BYTES) {
    const detail = `${mode}; ${path.basename(file)}-wal has ${Math.ceil(wal / 1e6)} MB: it has not been checkpointed for long`;
    return { ...common, state: "warning", detail, sql: "PRAGMA wal_checkpoint(TRUNCATE);" };
  }
  if (mode === "wal") return { ...common, state: "ok", detail: `wal, ${wal} bytes not yet in the file` };
  const detail = `${mode}: programs that write wait during a backup`;
  return { ...common, state: "warning", detail, sql: "PRAGMA journal_mode = WAL;" };
}

/** Virtual tables whose module this SQLite has not: their content is in other tables, but can't be checked as such. */
function modulesFinding(database: DatabaseSync): EngineFinding {
  const missing: string[] = [];
  for (const [schema, name, type] of rowsOf(database, "PRAGMA main.table_list")) {
    if (schema !== "main" || type !== "virtual") continue;
    try {
      database.prepare(`SELECT 1 FROM ${quoteName(String(name))} LIMIT 0`);
    } catch {
      missing.push(String(name));
    }
  }
  return {
    id: "modules",
    title: "Virtual tables",
    state: missing.length === 0 ? "ok" : "warning",
    detail:
      missing.length === 0
        ? "every virtual table's module is there, or none is used"
        : `no module for ${missing.join(", ")}: copied byte for byte, and not opened`,
    why: "A backup copies the whole file; tables of a missing module can only be compared by what they store.",
  };
}

async function usersFinding(file: string): Promise<EngineFinding> {
  const users = await filesInUse([file, ...companionsOf(file).own]);
  return {
    id: "users",
    title: "Programs that have it open",
    state: "ok",
    detail:
      users.map(({ program, pid }) => `${program} (process ${pid})`).join(", ") ||
      "none that this user may see",
    why: "A backup does not disturb them; a restore over the file refuses while there are any.",
  };
}

async function integrityFinding(file: string): Promise<EngineFinding> {
  const common = {
    id: "integrity",
    title: "Integrity",
    why: "A damaged file can't be backed up as it was meant.",
  };
  const { size } = await stat(file);
  if (size > QUICK_CHECK_BYTES) {
    return {
      ...common,
      state: "unknown",
      detail: "too large to check here; each backup checks its own copy",
    };
  }
  let integrity: Integrity;
  try {
    integrity = integrityOf(file, { pragma: "quick_check", live: true });
  } catch (error) {
    return { ...common, state: "unknown", detail: messageOf(error) };
  }
  const { problems, unchecked } = integrity;
  if (problems.length > 0) return { ...common, state: "problem", detail: problems.slice(0, 3).join("; ") };
  return unchecked === null
    ? { ...common, state: "ok", detail: "quick_check found nothing" }
    : {
        ...common,
        state: "warning",
        detail: `it can't be checked, nor will a proof be able to: ${unchecked}`,
      };
}
