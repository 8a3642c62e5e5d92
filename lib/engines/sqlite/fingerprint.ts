import { createHash, hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Fingerprint, TableFingerprint } from "../../proof/schema.ts";
import type { WorkContext } from "../engine.ts";
import { RowDigest } from "./digest.ts";
import { sqliteError } from "./file-errors.ts";
import { firstValue, openReadOnly, quoteName, rowsOf, SQLITE_VERSION } from "./open.ts";

/** More objects than this are compared by one digest, without saying which differ. */
const MAX_LISTED_OBJECTS = 2000;

/** Rows between two looks at the clock and the signal. */
const BATCH = 2_000;

export interface FingerprintOptions {
  /** Milliseconds for content digests; 0 counts only. */
  digestBudgetMs: number;
  /** Which tables are compared by content; absent: all. */
  like?: Fingerprint | undefined;
}

interface ListedTable {
  name: string;
  kind: "table" | "virtual" | "shadow";
}

/** Counts every table exactly and digests their content within the budget, the smallest tables first. */
export async function fingerprintFile(
  file: string,
  options: FingerprintOptions,
  work: Pick<WorkContext, "signal" | "progress">,
): Promise<Fingerprint> {
  const database = openReadOnly(file);
  try {
    // One read transaction: a file that is in use changes between two queries.
    database.exec("BEGIN");
    const listed = listTables(database);
    const tables = await fingerprintTables(database, listed, options, work);
    return {
      format: 1,
      engine: "sqlite",
      serverVersion: SQLITE_VERSION,
      takenAt: new Date().toISOString(),
      schema: schemaDigest(database),
      tables: tables.sort((a, b) => (a.name < b.name ? -1 : 1)),
      sequences: sequences(database),
      extensions: [],
      largeObjects: null,
      notCompared: listed
        .filter((table) => table.kind === "virtual")
        .map(
          (table) =>
            `${displayTable(table.name)} is a virtual table: what it stores in its shadow tables is compared`,
        ),
    };
  } catch (error) {
    if (work.signal.aborted) throw error;
    throw sqliteError(error, file);
  } finally {
    database.close();
  }
}

async function fingerprintTables(
  database: DatabaseSync,
  listed: ListedTable[],
  options: FingerprintOptions,
  work: Pick<WorkContext, "signal" | "progress">,
): Promise<TableFingerprint[]> {
  const done: TableFingerprint[] = [];
  const counted: { table: ListedTable; rows: number }[] = [];
  for (const table of listed) {
    work.signal.throwIfAborted();
    if (table.kind === "virtual") done.push(virtualTable(table.name));
    else
      counted.push({
        table,
        rows: Number(firstValue(database, `SELECT count(*) FROM ${quoteName(table.name)}`)),
      });
    await yieldToOthers();
  }
  counted.sort((a, b) => a.rows - b.rows);
  const deadline = performance.now() + options.digestBudgetMs;
  const total = counted.reduce((sum, { rows }) => sum + rows, 0);
  let read = 0;
  for (const { table, rows } of counted) {
    const name = displayTable(table.name);
    const asked = options.like?.tables.find((other) => other.name === name)?.compared ?? "content";
    const budget = options.like ? Number.POSITIVE_INFINITY : deadline;
    const digest =
      options.digestBudgetMs === 0 || asked !== "content"
        ? null
        : await digestTable(database, table.name, budget, work, (more) => {
            work.progress({ label: "Fingerprint", done: read + more, total, unit: "rows" });
          });
    read += rows;
    done.push({
      name,
      kind: "table",
      rows,
      digest,
      compared: digest === null ? "count" : "content",
      ...noteFor(table, digest, options, asked),
    });
  }
  return done;
}

function noteFor(
  table: ListedTable,
  digest: string | null,
  options: FingerprintOptions,
  asked: TableFingerprint["compared"],
): { note?: string } {
  if (digest === null && asked === "content") {
    return {
      note: options.digestBudgetMs === 0 ? "content digests are off" : "over the time budget for digests",
    };
  }
  return table.kind === "shadow" ? { note: "shadow table of a virtual table" } : {};
}

function virtualTable(name: string): TableFingerprint {
  return {
    name: displayTable(name),
    kind: "virtual table",
    rows: null,
    digest: null,
    compared: "not compared",
    note: "virtual table: its shadow tables are compared",
  };
}

/** Null when the deadline passed before the last row. */
async function digestTable(
  database: DatabaseSync,
  name: string,
  deadline: number,
  work: Pick<WorkContext, "signal">,
  report: (rows: number) => void,
): Promise<string | null> {
  const columns = columnsOf(database, name);
  const pairs = columns.map((column) => {
    const quoted = quoteName(column);
    return `typeof(${quoted}), CASE typeof(${quoted}) WHEN 'text' THEN CAST(${quoted} AS BLOB) ELSE ${quoted} END`;
  });
  const digest = new RowDigest();
  const rows = database.prepare(`SELECT ${pairs.join(", ")} FROM ${quoteName(name)}`).iterate();
  for (const row of rows) {
    digest.add(row as unknown as unknown[]);
    if (digest.rows % BATCH !== 0) continue;
    await yieldToOthers();
    work.signal.throwIfAborted();
    if (performance.now() > deadline) return null;
    report(digest.rows);
  }
  return digest.value();
}

/** Sorted names of the columns that hold data; virtual generated ones follow from the others. */
function columnsOf(database: DatabaseSync, table: string): string[] {
  // sqlite.org/pragma.html#pragma_table_xinfo: hidden is 0 ordinary, 1 hidden, 2 generated virtual, 3 generated stored.
  return rowsOf(database, `PRAGMA main.table_xinfo(${quoteName(table)})`)
    .filter((column) => Number(column[6]) === 0 || Number(column[6]) === 3)
    .map((column) => String(column[1]))
    .sort();
}

/** Every table but SQLite's own. */
function listTables(database: DatabaseSync): ListedTable[] {
  const listed: ListedTable[] = [];
  for (const [schema, name, type] of rowsOf(database, "PRAGMA main.table_list")) {
    const kind = String(type);
    if (schema !== "main" || String(name).startsWith("sqlite_")) continue;
    if (kind === "table" || kind === "virtual" || kind === "shadow")
      listed.push({ name: String(name), kind });
  }
  return listed;
}

/** sha256 over sqlite_schema in a fixed order, with the settings that the file itself carries. */
export function schemaDigest(database: DatabaseSync): Fingerprint["schema"] {
  const sha = createHash("sha256");
  for (const pragma of ["encoding", "user_version", "application_id"]) {
    sha.update(`${pragma}=${firstValue(database, `PRAGMA ${pragma}`)}\n`);
  }
  const objects = rowsOf(
    database,
    "SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_schema WHERE name NOT LIKE 'sqlite^_stat%' ESCAPE '^' ORDER BY type, name, tbl_name",
  );
  const digests: Record<string, string> = {};
  for (const [type, name, table, sql] of objects) {
    const text = String(sql).replaceAll("\r\n", "\n").trimEnd();
    const digest = hash("sha256", JSON.stringify([type, name, table, text]));
    digests[`${type} ${name}`] = digest.slice(0, 16);
    sha.update(`${digest}\n`);
  }
  return {
    digest: sha.digest("hex"),
    method: "sqlite_schema in order, user_version, application_id, encoding",
    ...(objects.length > MAX_LISTED_OBJECTS ? {} : { objects: digests }),
  };
}

function sequences(database: DatabaseSync): Fingerprint["sequences"] {
  const there = firstValue(
    database,
    "SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_sequence'",
  );
  if (there === "0") return [];
  return rowsOf(database, "SELECT name, seq FROM main.sqlite_sequence ORDER BY name").map(
    ([name, value]) => ({
      name: displayTable(String(name)),
      value: value === null ? null : String(value),
    }),
  );
}

/** As SQL would need it, so that two names never look alike. */
function displayTable(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_$]*$/.test(name) ? name : quoteName(name);
}
