import type { Client } from "pg";
import type { EngineFinding } from "../engine.ts";
import { displayName, quoteIdentifier } from "./quote.ts";

const SHOWN = 20;
const USER_SCHEMAS = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;
const NOT_OF_EXTENSION = `NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

interface Named {
  schema: string;
  name: string;
}

function list(rows: Named[]): string {
  const names = rows.slice(0, SHOWN).map((row) => displayName(row.schema, row.name));
  return rows.length > SHOWN ? `${names.join(", ")} and ${rows.length - SHOWN} more` : names.join(", ");
}

/** Whether this user can read all that a dump reads: what is missing is listed at once, with the grants. */
export async function findAccess(client: Client, user: string, major: number): Promise<EngineFinding[]> {
  return [
    await findRelations(client, user, major),
    await findRowSecurity(client, user),
    await findLargeObjects(client, user),
    await findRoles(client),
    await findSubscriptions(client),
  ];
}

async function findRelations(client: Client, user: string, major: number): Promise<EngineFinding> {
  const { rows } = await client.query<Named & { sequence: boolean }>(`
    SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'S' AS sequence
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S') AND ${USER_SCHEMAS} AND ${NOT_OF_EXTENSION} AND NOT (
      has_schema_privilege(n.oid, 'USAGE') AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
        ELSE has_table_privilege(c.oid, 'SELECT') END)
    ORDER BY 1, 2`);
  const finding = {
    id: "read-access",
    title: "Read access to every table and sequence",
    why: "A dump reads all of them; one that it may not read makes it fail.",
  };
  if (rows.length === 0) return { ...finding, state: "ok", detail: `${user} can read all of them.` };
  return {
    ...finding,
    state: "problem",
    detail: `Not readable: ${list(rows)}.`,
    sql: grants(rows, user, major),
  };
}

function grants(rows: (Named & { sequence: boolean })[], user: string, major: number): string {
  const role = quoteIdentifier(user);
  if (major >= 14) return `GRANT pg_read_all_data TO ${role};`;
  const schemas = [...new Set(rows.map((row) => row.schema))];
  return schemas
    .flatMap((schema) => {
      const name = quoteIdentifier(schema);
      return [
        `GRANT USAGE ON SCHEMA ${name} TO ${role};`,
        `GRANT SELECT ON ALL TABLES IN SCHEMA ${name} TO ${role};`,
        `GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${name} TO ${role};`,
      ];
    })
    .join("\n");
}

async function findRowSecurity(client: Client, user: string): Promise<EngineFinding> {
  const { rows } = await client.query<Named>(`
    SELECT n.nspname AS schema, c.relname AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND ${USER_SCHEMAS} AND pg_catalog.row_security_active(c.oid)
    ORDER BY 1, 2`);
  const finding = {
    id: "row-security",
    title: "Row-level security",
    why: "Policies would hide rows from the dump; pg_dump refuses to make a partial one.",
  };
  if (rows.length === 0) return { ...finding, state: "ok", detail: "No policy hides rows from this user." };
  const sql = `ALTER ROLE ${quoteIdentifier(user)} BYPASSRLS;`;
  return { ...finding, state: "problem", detail: `Policies apply to this user on ${list(rows)}.`, sql };
}

async function findLargeObjects(client: Client, user: string): Promise<EngineFinding> {
  const { rows } = await client.query<{ n: string; hidden: string; digest: boolean }>(`
    SELECT count(*)::text AS n, (count(*) FILTER (WHERE NOT (
        current_setting('is_superuser') = 'on' OR current_setting('lo_compat_privileges') = 'on'
        OR pg_has_role(lomowner, 'USAGE')
        OR EXISTS (SELECT FROM aclexplode(lomacl) a WHERE a.privilege_type = 'SELECT'
          AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE'))))))::text AS hidden,
      has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS digest
    FROM pg_catalog.pg_largeobject_metadata`);
  const { n = "0", hidden = "0", digest = false } = rows[0] ?? {};
  const finding = {
    id: "large-objects",
    title: "Large objects",
    why: "They are part of the dump, and pg_read_all_data does not cover them.",
  };
  if (hidden !== "0") {
    const role = quoteIdentifier(user);
    return {
      ...finding,
      state: "problem",
      detail: `${hidden} of ${n} large objects are not readable for ${user}.`,
      sql: `DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP\n  EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO %I', o, ${role.replace(/^"(.*)"$/s, (_all, name: string) => `'${name.replaceAll("'", "''").replaceAll('""', '"')}'`)});\nEND LOOP; END $$;`,
    };
  }
  if (n !== "0" && !digest) {
    return {
      ...finding,
      state: "warning",
      detail: `${n} large objects will be compared by number only: ${user} may not read pg_largeobject.`,
      sql: `GRANT SELECT ON pg_catalog.pg_largeobject TO ${quoteIdentifier(user)};`,
    };
  }
  return { ...finding, state: "ok", detail: n === "0" ? "There are none." : `All ${n} are readable.` };
}

async function findRoles(client: Client): Promise<EngineFinding> {
  const { rows } = await client.query<{ ok: boolean }>(
    "SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS ok",
  );
  const finding = {
    id: "roles",
    title: "Roles and their passwords",
    why: "Roles belong to the server and are saved beside the dump, in globals.sql.",
  };
  if (rows[0]?.ok)
    return { ...finding, state: "ok", detail: "Roles are saved with their password verifiers." };
  const detail = "Roles are saved without passwords: only a superuser may read pg_authid.";
  return { ...finding, state: "warning", detail };
}

async function findSubscriptions(client: Client): Promise<EngineFinding> {
  const { rows } = await client.query<{ n: number; superuser: boolean; triggers: number }>(`
    SELECT (SELECT count(*)::int FROM pg_catalog.pg_stat_subscription) AS n,
      (SELECT count(*)::int FROM pg_catalog.pg_event_trigger) AS triggers,
      current_setting('is_superuser') = 'on' AS superuser`);
  const { n = 0, superuser = false, triggers = 0 } = rows[0] ?? {};
  const finding = {
    id: "superuser-objects",
    title: "Objects that only a superuser can save or restore",
    why: "Subscriptions are left out of an ordinary user's dump; event triggers need a superuser to be restored.",
  };
  if (n > 0 && !superuser) {
    return { ...finding, state: "warning", detail: `The server has ${n} subscriptions; they are left out.` };
  }
  if (triggers > 0) {
    return { ...finding, state: "warning", detail: `${triggers} event triggers: restore as a superuser.` };
  }
  return { ...finding, state: "ok", detail: "There are none." };
}
