import type { Session } from "./connect.ts";
import { quoteIdentifier } from "./quote.ts";

export interface TableInfo {
  name: string;
  engine: string;
  bytes: number;
  /** Whether a snapshot holds its rows. */
  transactional: boolean;
  versioned: boolean;
}

export interface ColumnInfo {
  name: string;
  /** information_schema's DATA_TYPE: "varchar", "longblob", "point". */
  type: string;
}

/** Base tables of the session's database, by name. Tables of engines that hold no rows of their own stay out. */
export async function listTables(session: Session): Promise<TableInfo[]> {
  const rows = await session.rows<
    Record<"name" | "engine" | "bytes" | "type" | "transactions", string | null>
  >(`
    SELECT t.TABLE_NAME AS name, t.ENGINE AS engine, t.TABLE_TYPE AS type, e.TRANSACTIONS AS transactions,
      CAST(COALESCE(t.DATA_LENGTH, 0) AS CHAR) AS bytes
    FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
    WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')`);
  return rows
    .map((row) => ({
      name: row.name ?? "",
      engine: row.engine ?? "unknown",
      bytes: Number(row.bytes),
      transactional: row.transactions === "YES",
      versioned: row.type === "SYSTEM VERSIONED",
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Columns that are stored, by table; what is computed when it is read follows from the others. */
export async function listColumns(session: Session): Promise<Map<string, ColumnInfo[]>> {
  const rows = await session.rows<{ table: string; name: string; type: string }>(`
    SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = DATABASE() AND EXTRA NOT LIKE '%VIRTUAL GENERATED%' ORDER BY ORDINAL_POSITION`);
  const columns = new Map<string, ColumnInfo[]>();
  for (const { table, name, type } of rows) {
    const list = columns.get(table) ?? [];
    list.push({ name, type: type.toLowerCase() });
    columns.set(table, list);
  }
  return columns;
}

export async function listNames(session: Session, type: "VIEW" | "SEQUENCE"): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = '${type}' ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

/** What each sequence hands out next, at the least. */
export async function readSequences(
  session: Session,
): Promise<{ name: string; value: string | null; descending?: boolean }[]> {
  if (!session.flavour.sequences) return [];
  const values = [];
  for (const name of await listNames(session, "SEQUENCE")) {
    const [row] = await session.rows<{ value: string; increment: string }>(
      `SELECT CAST(next_not_cached_value AS CHAR) AS value, CAST(\`increment\` AS CHAR) AS increment FROM ${quoteIdentifier(name)}`,
    );
    if (!row) continue;
    values.push({ name, value: row.value, ...(row.increment.startsWith("-") ? { descending: true } : {}) });
  }
  return values;
}
