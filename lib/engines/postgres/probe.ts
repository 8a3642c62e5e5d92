import type { Client } from "pg";
import type { Access, ServerInfo } from "../engine.ts";
import type { DatabaseLocale } from "./collation.ts";
import { formatCollation } from "./collation.ts";
import { inReadOnly } from "./connect.ts";
import { parseConnection } from "./connection.ts";

interface DatabaseRow {
  datcollate: string;
  datctype: string;
  /** Since PostgreSQL 15. */
  datlocprovider?: DatabaseLocale["provider"];
  /** PostgreSQL 15 and 16; datlocale since 17. */
  daticulocale?: string | null;
  datlocale?: string | null;
}

/** Connects once and reads who is there. */
export async function probe(
  access: Access,
  signal: AbortSignal,
  applicationName?: string,
): Promise<ServerInfo> {
  return await inReadOnly(
    access,
    { signal, applicationName },
    async (client) => await readInfo(client, access),
  );
}

/** The server's identity alone. */
export async function identify(access: Access, signal: AbortSignal): Promise<string> {
  return await inReadOnly(access, { signal }, async (client) => await readIdentity(client, access));
}

/** Who is at the other end of an open connection. */
export async function readInfo(client: Client, access: Access): Promise<ServerInfo> {
  const begun = performance.now();
  await client.query("SELECT 1");
  const latencyMs = Math.max(0, Math.round((performance.now() - begun) * 10) / 10);
  const { rows } = await client.query<{
    name: string;
    version: string;
    number: string;
    size: string | null;
    encoding: string;
    database: DatabaseRow;
  }>(`
    SELECT current_database() AS name, current_setting('server_version') AS version,
      current_setting('server_version_num') AS number, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
      CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_catalog.pg_database_size(d.oid) END AS size,
      pg_catalog.to_jsonb(d) - 'datacl' AS database
    FROM pg_catalog.pg_database d WHERE d.datname = current_database()`);
  const [row] = rows;
  if (!row) throw new Error("pg_database has no row for the current database");
  const { database } = row;
  return {
    identity: await readIdentity(client, access),
    databaseName: row.name,
    version: row.version.split(" ")[0] ?? row.version,
    major: Math.floor(Number(row.number) / 10_000),
    sizeBytes: row.size === null ? null : Number(row.size),
    encoding: row.encoding,
    collation: formatCollation({
      provider: database.datlocprovider ?? "c",
      collate: database.datcollate,
      ctype: database.datctype,
      locale: database.datlocale ?? database.daticulocale ?? null,
    }),
    latencyMs,
  };
}

/**
 * The number that initdb gave the server, the same through every address. Where it may not be read: the
 * address, which says so itself ("address db.example:5432").
 */
async function readIdentity(client: Client, access: Access): Promise<string> {
  const { rows: may } = await client.query<{ ok: boolean }>(
    "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS ok",
  );
  const to = parseConnection(access.connection);
  if (!may[0]?.ok) return `address ${to.host}:${to.port}`;
  const { rows } = await client.query<{ id: string }>(
    "SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()",
  );
  return rows[0]?.id ?? `address ${to.host}:${to.port}`;
}
