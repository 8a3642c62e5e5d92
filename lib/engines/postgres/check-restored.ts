import type { Client } from "pg";
import { DatabaseError } from "pg";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { ProofCheck } from "../../proof/schema.ts";
import type { Access, WorkContext } from "../engine.ts";
import { checkIndexes, USER_SCHEMAS } from "./check-indexes.ts";
import { openSession } from "./connect.ts";
import { isConnectionLost } from "./connect-errors.ts";
import { displayName, quoteIdentifier } from "./quote.ts";

const SHOWN = 5;

/**
 * Checks of a restored copy beyond its rows. They change nothing: all of it runs in a transaction that is rolled
 * back. Throws `unavailable` when the server stops them, whatever made it do so: then nothing is known.
 */
export async function checkRestored(target: Access, work: WorkContext): Promise<ProofCheck[]> {
  const session = await openSession(target, { signal: work.signal, applicationName: work.applicationName });
  try {
    const { client } = session;
    // A default of the database's own may be to read only.
    await client.query("BEGIN READ WRITE");
    await client.query("SET LOCAL statement_timeout = 0; SET LOCAL search_path = ''");
    await silenceEventTriggers(client);
    const checks = [await checkValid(client), await checkConstraints(client), await checkCollations(client)];
    checks.push(await checkIndexes(client, work));
    await client.query("ROLLBACK");
    return checks;
  } catch (error) {
    work.signal.throwIfAborted();
    if (!(error instanceof DatabaseError) && !isConnectionLost(error)) throw error;
    throw new HoldfastError("unavailable", `The server stopped the checks: ${messageOf(error)}.`, {
      cause: error,
    });
  } finally {
    await session.close();
  }
}

/** Code of the database's own that would answer to DDL has no say in a check. Rolled back with all else. */
async function silenceEventTriggers(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT evtname AS name FROM pg_catalog.pg_event_trigger
    WHERE evtenabled <> 'D' AND current_setting('is_superuser') = 'on'`);
  // No event trigger is fired by what is done to event triggers (PostgreSQL manual, "Overview of Event Trigger Behavior").
  for (const { name } of rows) await client.query(`ALTER EVENT TRIGGER ${quoteIdentifier(name)} DISABLE`);
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
