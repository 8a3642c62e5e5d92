import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { ProofCheck } from "../../proof/schema.ts";
import type { Access, WorkContext } from "../engine.ts";
import { openSession } from "./connect.ts";
import { isConnectionLost } from "./connect-errors.ts";
import { displayName, quoteIdentifier } from "./quote.ts";

const BATCH_INDEXES = 20;
const SHOWN = 5;

/** The schema that amcheck is put into for the length of a transaction that is rolled back. */
const AMCHECK_SCHEMA = "holdfast_amcheck";

const USER_SCHEMAS = `n.nspname !~ '^pg_(catalog|toast)' AND n.nspname <> 'information_schema'`;

/** Checks of a restored copy beyond its rows. They change nothing: all of it runs in a transaction that is rolled back. */
export async function checkRestored(target: Access, work: WorkContext): Promise<ProofCheck[]> {
  const session = await openSession(target, { signal: work.signal, applicationName: work.applicationName });
  try {
    const { client } = session;
    await client.query("BEGIN");
    await client.query("SET LOCAL statement_timeout = 0; SET LOCAL search_path = ''");
    const checks = [await checkValid(client), await checkConstraints(client), await checkCollations(client)];
    checks.push(await checkIndexes(client, work));
    await client.query("ROLLBACK");
    return checks;
  } catch (error) {
    work.signal.throwIfAborted();
    throw error;
  } finally {
    await session.close();
  }
}

function some(names: string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}

async function checkValid(client: Client): Promise<ProofCheck> {
  const { rows } = await client.query<{ schema: string; name: string; valid: boolean }>(`
    SELECT n.nspname AS schema, c.relname AS name, i.indisvalid AND i.indisready AND i.indislive AS valid
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE ${USER_SCHEMAS}`);
  const bad = rows.filter((row) => !row.valid).map((row) => displayName(row.schema, row.name));
  if (bad.length === 0)
    return { name: "indexes", state: "passed", detail: `${rows.length} indexes are valid` };
  return { name: "indexes", state: "failed", detail: `not valid: ${some(bad)}` };
}

/** Constraints marked NOT VALID came so from the source; that they are the same is part of the schema's digest. */
async function checkConstraints(client: Client): Promise<ProofCheck> {
  const { rows } = await client.query<{ n: number; open: number }>(`
    SELECT count(*)::int AS n, (count(*) FILTER (WHERE NOT k.convalidated))::int AS open
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
    WHERE ${USER_SCHEMAS}`);
  const { n = 0, open = 0 } = rows[0] ?? {};
  const asThere = open > 0 ? `; ${open} are marked NOT VALID, as they were at the source` : "";
  return { name: "constraints", state: "passed", detail: `the server accepted ${n} constraints${asThere}` };
}

/** A text's order depends on the operating system's collation; indexes follow the one that made them. */
async function checkCollations(client: Client): Promise<ProofCheck> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT collname AS name FROM pg_catalog.pg_collation
    WHERE collversion IS NOT NULL AND collversion <> pg_catalog.pg_collation_actual_version(oid) AND oid >= 16384`);
  if (rows.length === 0) {
    return { name: "collations", state: "passed", detail: "versions are those of this machine" };
  }
  const names = some(rows.map((row) => row.name));
  return { name: "collations", state: "failed", detail: `made for another version of the system: ${names}` };
}

interface IndexRow {
  oid: string;
  schema: string;
  name: string;
}

/** Structure of every B-tree index, by amcheck (PostgreSQL manual, "amcheck": bt_index_check). */
async function checkIndexes(client: Client, work: WorkContext): Promise<ProofCheck> {
  const name = "index structure";
  const prepared = await prepareAmcheck(client);
  if ("missing" in prepared) return { name, state: "not compared", detail: prepared.missing };
  const { rows } = await client.query<IndexRow>(`
    SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_am a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND c.relpersistence <> 't' AND ${USER_SCHEMAS}
    ORDER BY c.oid`);
  for (let from = 0; from < rows.length; from += BATCH_INDEXES) {
    const batch = rows.slice(from, from + BATCH_INDEXES);
    work.progress({ label: "Index checks", done: from, total: rows.length, unit: "objects" });
    const broken = await checkBatch(client, prepared.schema, batch);
    if (broken) return { name, state: "failed", detail: broken };
  }
  return { name, state: "passed", detail: `amcheck found nothing wrong in ${rows.length} B-tree indexes` };
}

/** Checks some indexes in one query, and one by one after a failure, to name the broken one. */
async function checkBatch(client: Client, schema: string, batch: IndexRow[]): Promise<string | null> {
  const check = async (indexes: IndexRow[]): Promise<string | null> => {
    await client.query("SAVEPOINT checking");
    try {
      await client.query(`SELECT ${schema}.bt_index_check(o::regclass) FROM unnest($1::oid[]) AS o`, [
        indexes.map((index) => index.oid),
      ]);
      return null;
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      return messageOf(error);
    } finally {
      // Gives the locks back, too.
      await client.query("ROLLBACK TO SAVEPOINT checking").catch(() => undefined);
    }
  };
  const failed = await check(batch);
  if (failed === null) return null;
  for (const index of batch) {
    const alone = await check([index]);
    if (alone !== null) return `${displayName(index.schema, index.name)}: ${alone}`;
  }
  return failed;
}

/** The schema of amcheck's functions: where it is installed, or a new one that is rolled back with all else. */
async function prepareAmcheck(client: Client): Promise<{ schema: string } | { missing: string }> {
  const { rows } = await client.query<{ schema: string | null; available: boolean; superuser: boolean }>(`
    SELECT (SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'amcheck') AS schema,
      EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck') AS available,
      current_setting('is_superuser') = 'on' AS superuser`);
  const { schema = null, available = false, superuser = false } = rows[0] ?? {};
  if (!available && schema === null) return { missing: "amcheck is not available on this server" };
  if (!superuser) return { missing: "amcheck may be used by superusers only, and this user is none" };
  if (schema !== null) return { schema: quoteIdentifier(schema) };
  // Triggers on DDL are the database's own and have no say in a check.
  await client.query("SET LOCAL session_replication_role = replica");
  await client.query(`CREATE SCHEMA ${AMCHECK_SCHEMA}`);
  await client.query(`CREATE EXTENSION amcheck WITH SCHEMA ${AMCHECK_SCHEMA}`);
  return { schema: AMCHECK_SCHEMA };
}
