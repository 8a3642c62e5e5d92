import type { Client } from "pg";
import type { ColumnInfo } from "./digest-sql.ts";
import { displayName, quoteIdentifier } from "./quote.ts";

export interface TableInfo {
  /** "public.orders", for people and for comparing. */
  name: string;
  /** Quoted for SQL. */
  sql: string;
  kind: "table" | "partition" | "partitioned table" | "materialized view" | "foreign table";
  /** Made by an extension, which keeps its contents itself. */
  ofExtension: boolean;
  unlogged: boolean;
  /** On disk, with TOAST, in bytes; 0 where it was not asked for. */
  bytes: number;
  columns: ColumnInfo[];
}

interface Row {
  schema: string;
  name: string;
  relkind: "r" | "p" | "m" | "f";
  is_partition: boolean;
  unlogged: boolean;
  of_extension: boolean;
  bytes: string | null;
  columns: ColumnInfo[] | null;
}

const KINDS = { r: "table", p: "partitioned table", m: "materialized view", f: "foreign table" } as const;

/** Schemas that pg_dump leaves out: the server's own, and those of temporary tables. */
const USER_SCHEMAS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** Belongs to an extension (pg_depend, type e). */
const OF_EXTENSION = `EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  AND d.objid = c.oid AND d.deptype = 'e')`;

// Virtual generated columns (PostgreSQL 18) are computed when read: nothing of them is stored or dumped.
const TABLES = `
  SELECT n.nspname AS schema, c.relname AS name, c.relkind, c.relispartition AS is_partition,
    c.relpersistence = 'u' AS unlogged, ${OF_EXTENSION} AS of_extension,
    CASE WHEN $1 AND c.relkind = 'r' AND NOT ${OF_EXTENSION} THEN pg_catalog.pg_table_size(c.oid) END AS bytes,
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'type',
        (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END)::bigint))
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v') AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm', 'f') AND ${USER_SCHEMAS}
  ORDER BY n.nspname, c.relname`;

/**
 * Every table, partition, materialized view and foreign table that a dump covers. With `sizes` it waits for
 * tables that are locked against reading; without, it waits for nothing.
 */
export async function listTables(client: Client, { sizes }: { sizes: boolean }): Promise<TableInfo[]> {
  const { rows } = await client.query<Row>(TABLES, [sizes]);
  return rows.map((row) => ({
    name: displayName(row.schema, row.name),
    sql: `${quoteIdentifier(row.schema)}.${quoteIdentifier(row.name)}`,
    kind: row.relkind === "r" && row.is_partition ? "partition" : KINDS[row.relkind],
    ofExtension: row.of_extension,
    unlogged: row.unlogged,
    bytes: Number(row.bytes ?? 0),
    columns: row.columns ?? [],
  }));
}

export interface SequenceInfo {
  name: string;
  sql: string;
  increment: bigint;
}

/** Every sequence that a dump covers. */
export async function listSequences(client: Client): Promise<SequenceInfo[]> {
  const { rows } = await client.query<{ schema: string; name: string; increment: string }>(`
    SELECT n.nspname AS schema, c.relname AS name, s.seqincrement AS increment
    FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${USER_SCHEMAS} AND NOT ${OF_EXTENSION}
    ORDER BY n.nspname, c.relname`);
  return rows.map((row) => ({
    name: displayName(row.schema, row.name),
    sql: `${quoteIdentifier(row.schema)}.${quoteIdentifier(row.name)}`,
    increment: BigInt(row.increment),
  }));
}

/** Extensions in use but for the language that every database has. */
export async function listExtensions(client: Client): Promise<{ name: string; version: string }[]> {
  const { rows } = await client.query<{ name: string; version: string }>(
    "SELECT extname AS name, extversion AS version FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY extname",
  );
  return rows;
}
