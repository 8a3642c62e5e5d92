import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { ProofCheck } from "../../proof/schema.ts";
import type { WorkContext } from "../engine.ts";
import { codeOf, isConnectionLost } from "./connect-errors.ts";
import { displayName, quoteIdentifier } from "./quote.ts";

const BATCH_INDEXES = 20;
const NAME = "index structure";

/** The schema that amcheck is put into for the length of a transaction that is rolled back. */
const AMCHECK_SCHEMA = "holdfast_amcheck";

/** Condition on a schema `n`: not the server's own. */
export const USER_SCHEMAS = `n.nspname !~ '^pg_(catalog|toast)' AND n.nspname <> 'information_schema'`;

/** SQLSTATE class of what is broken in the data itself (PostgreSQL manual, "Error Codes"). */
const CORRUPTED = /^XX/;

interface IndexRow {
  oid: string;
  schema: string;
  name: string;
}

interface Finding {
  /** The index is broken; otherwise something kept it from being looked at. */
  broken: boolean;
  detail: string;
}

/**
 * Structure of every B-tree index, by amcheck (PostgreSQL manual, "amcheck": bt_index_check). In a transaction
 * whose event triggers were silenced, which is rolled back. What a comparison function of the database's own
 * raises is no broken index: "unverifiable".
 */
export async function checkIndexes(client: Client, work: WorkContext): Promise<ProofCheck> {
  const prepared = await prepareAmcheck(client);
  if ("missing" in prepared) return { name: NAME, state: "not compared", detail: prepared.missing };
  const { rows } = await client.query<IndexRow>(`
    SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_am a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND c.relpersistence <> 't' AND ${USER_SCHEMAS}
    ORDER BY c.oid`);
  let unclear: string | null = null;
  for (let from = 0; from < rows.length; from += BATCH_INDEXES) {
    const batch = rows.slice(from, from + BATCH_INDEXES);
    work.progress({ label: "Index checks", done: from, total: rows.length, unit: "objects" });
    for (const { broken, detail } of await checkBatch(client, prepared.schema, batch)) {
      if (broken) return { name: NAME, state: "failed", detail };
      unclear ??= detail;
    }
  }
  if (unclear !== null) return { name: NAME, state: "unverifiable", detail: unclear };
  return {
    name: NAME,
    state: "passed",
    detail: `amcheck found nothing wrong in ${rows.length} B-tree indexes`,
  };
}

/** Checks some indexes in one query, and one by one after a failure, to name those that failed. */
async function checkBatch(client: Client, schema: string, batch: IndexRow[]): Promise<Finding[]> {
  const check = async (indexes: IndexRow[]): Promise<Finding[]> => {
    await client.query("SAVEPOINT checking");
    try {
      await client.query(`SELECT ${schema}.bt_index_check(o::regclass) FROM unnest($1::oid[]) AS o`, [
        indexes.map((index) => index.oid),
      ]);
      return [];
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      const names = indexes.map((index) => displayName(index.schema, index.name)).join(", ");
      return [{ broken: CORRUPTED.test(codeOf(error)), detail: `${names}: ${messageOf(error)}` }];
    } finally {
      // Gives the locks back, too.
      await client.query("ROLLBACK TO SAVEPOINT checking").catch(() => undefined);
    }
  };
  const together = await check(batch);
  if (together.length === 0) return [];
  const findings: Finding[] = [];
  for (const index of batch) findings.push(...(await check([index])));
  return findings.length > 0 ? findings : together;
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
  await client.query(`CREATE SCHEMA ${AMCHECK_SCHEMA}`);
  await client.query(`CREATE EXTENSION amcheck WITH SCHEMA ${AMCHECK_SCHEMA}`);
  return { schema: AMCHECK_SCHEMA };
}
