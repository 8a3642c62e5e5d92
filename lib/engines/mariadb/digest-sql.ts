import type { ColumnInfo } from "./catalog.ts";
import { quoteIdentifier } from "./quote.ts";

/** Values of these may be longer than the longest text that the server puts together: each is hashed by itself. */
const LONG = /^(tiny|medium|long)?(text|blob)$|^json$/;
const SPATIAL =
  /^(geometry|point|linestring|polygon|multi(point|linestring|polygon)|geometrycollection|geomcollection)$/;

/** Bytes of a value that tell it from every other one of its type. */
function bytesOf(column: ColumnInfo): string {
  const name = quoteIdentifier(column.name);
  if (column.type === "bit") return `CAST(${name} + 0 AS CHAR)`;
  // As text it has six digits, in a dump too: what the dump loses has to show.
  if (column.type === "float") return `CAST(${name} + 0e0 AS BINARY)`;
  // MySQL keeps JSON as a tree, and writes equal trees alike.
  if (column.type === "json") return `MD5(CAST(${name} AS CHAR))`;
  if (SPATIAL.test(column.type)) return `MD5(CONCAT(ST_SRID(${name}), ' ', HEX(ST_AsWKB(${name}))))`;
  if (LONG.test(column.type)) return `MD5(${name})`;
  return `CAST(${name} AS BINARY)`;
}

/** A column's part of a row: "n" for NULL, else its length and bytes, so that no two rows read alike. */
function part(column: ColumnInfo): string {
  const bytes = bytesOf(column);
  // What the server can't put together is NULL, too, and must not read like a value that is NULL.
  return `IF(${quoteIdentifier(column.name)} IS NULL, 'n', CONCAT(LENGTH(${bytes}), ':', ${bytes}))`;
}

/** SQL of a 64-bit hash of one row: the first half of the MD5 of its columns, sorted by name. */
export function rowHash(columns: readonly ColumnInfo[]): string {
  const sorted = columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const parts = sorted.map(part);
  const row = parts.length === 0 ? "''" : `CONCAT(${parts.join(", ")})`;
  return `CAST(CONV(LEFT(MD5(${row}), 16), 16, 10) AS UNSIGNED)`;
}
