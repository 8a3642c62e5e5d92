import type { Client } from "pg";
import type { Fingerprint } from "../../proof/schema.ts";
import type { ServerInfo } from "../engine.ts";
import { codeOf } from "./connect-errors.ts";
import { readSequences } from "./digest-others.ts";
import type { TableInfo } from "./list-tables.ts";
import { listSequences, listTables } from "./list-tables.ts";
import { beginSnapshot } from "./snapshot.ts";

const LOCK_BATCH = 200;
const ATTEMPTS = 3;
const UNDEFINED_TABLE = "42P01";
const INVALID_SCHEMA = "3F000";

export interface SourceSnapshot {
  /** Name under which other sessions see the same moment. */
  id: string;
  tables: TableInfo[];
  sequences: Fingerprint["sequences"];
  /** A standby can't read unlogged tables. */
  standby: boolean;
  /** Whether this user may read the roles' password verifiers. */
  passwords: boolean;
}

/**
 * Locks every table against changes of its shape and only then chooses the moment that dump and fingerprint
 * see: rows of a table that is truncated or rewritten in between would be lost to older snapshots. The
 * transaction of `client` stays open and holds it all.
 */
export async function takeSnapshot(
  client: Client,
  server: ServerInfo,
  lockWaitMs: number,
): Promise<SourceSnapshot> {
  for (let attempt = 1; ; attempt++) {
    const candidates = await listTables(client, { sizes: false });
    await beginSnapshot(client, { serverMajor: server.major, parallelWorkers: 0, lockWaitMs });
    try {
      await lockTables(client, candidates);
      break;
    } catch (error) {
      await client.query("ROLLBACK");
      // Dropped since it was listed.
      const gone = [UNDEFINED_TABLE, INVALID_SCHEMA].includes(codeOf(error));
      if (!gone || attempt === ATTEMPTS) throw error;
    }
  }
  const { rows } = await client.query<{ id: string; standby: boolean; passwords: boolean }>(`
    SELECT pg_catalog.pg_export_snapshot() AS id, pg_catalog.pg_is_in_recovery() AS standby,
      has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS passwords`);
  const tables = await listTables(client, { sizes: true });
  // Read before pg_dump reads them: a restored sequence is then at this value or past it.
  const sequences = await readSequences(client, await listSequences(client));
  const { id = "", standby = false, passwords = false } = rows[0] ?? {};
  return { id, tables, sequences, standby, passwords };
}

/** The kinds that pg_dump locks, too. LOCK TABLE as first statement does not choose the snapshot yet. */
async function lockTables(client: Client, tables: readonly TableInfo[]): Promise<void> {
  const names = tables
    .filter((table) => !table.ofExtension && ["table", "partition", "partitioned table"].includes(table.kind))
    .map((table) => `ONLY ${table.sql}`);
  for (let from = 0; from < names.length; from += LOCK_BATCH) {
    await client.query(`LOCK TABLE ${names.slice(from, from + LOCK_BATCH).join(", ")} IN ACCESS SHARE MODE`);
  }
}
