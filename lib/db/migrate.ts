import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { Client } from "pg";
import { HoldfastError } from "../errors.ts";
import { ROOT } from "../root.ts";
import { RUNTIME_ROLE } from "./client.ts";
import type { MigrationsList } from "./schema-engine.ts";
import { FILTERS, openSchemaEngine } from "./schema-engine.ts";

const MIGRATIONS = path.join(ROOT, "prisma/migrations");
const SCHEMA = path.join(ROOT, "prisma/schema");

/** Serialises migrations of several starting processes. */
const MIGRATION_LOCK = 7_201_531_001;

/** Tables that the runtime role may only read and insert into. */
const APPEND_ONLY = ["audit_event", "audit_link"];

/** Names of the migrations that this version brings, oldest first. */
export async function migrationNames(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** The schema's files as Prisma's engine takes them. */
export async function datamodels(): Promise<[string, string][]> {
  const files = (await readdir(SCHEMA)).filter((name) => name.endsWith(".prisma")).sort();
  return await Promise.all(
    files.map(
      async (name): Promise<[string, string]> => [name, await readFile(path.join(SCHEMA, name), "utf8")],
    ),
  );
}

export async function migrationsList(): Promise<MigrationsList> {
  const names = await migrationNames();
  const directories = names.map(async (name) => ({
    path: name,
    migrationFile: {
      path: "migration.sql",
      content: {
        tag: "ok" as const,
        value: await readFile(path.join(MIGRATIONS, name, "migration.sql"), "utf8"),
      },
    },
  }));
  return {
    baseDir: MIGRATIONS,
    lockfile: {
      path: "migration_lock.toml",
      content: await readFile(path.join(MIGRATIONS, "migration_lock.toml"), "utf8"),
    },
    shadowDbInitScript: "",
    migrationDirectories: await Promise.all(directories),
  };
}

/**
 * Brings the metadata database up to this version: runtime role, pending migrations, grants. Safe to run from
 * several processes at once. Returns the names that were applied. Needs the role that owns the schema.
 */
export async function migrate(ownerUrl: string): Promise<string[]> {
  const client = new Client({ connectionString: ownerUrl, application_name: "holdfast migrate" });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await ensureRuntimeRole(client);
    const applied = (await pendingMigrations(client)).length > 0 ? await applyPending(ownerUrl) : [];
    await grant(client);
    return applied;
  } finally {
    await client.end();
  }
}

/** Migrations of this version that the database does not have yet. */
export async function pendingMigrations(client: {
  query(text: string): Promise<{ rows: unknown[] }>;
}): Promise<string[]> {
  const table = await client.query("SELECT to_regclass('_prisma_migrations')::text AS name");
  const [row] = table.rows as { name: string | null }[];
  if (!row?.name) return await migrationNames();
  const done = await client.query(
    "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL",
  );
  const names = new Set((done.rows as { migration_name: string }[]).map((entry) => entry.migration_name));
  return (await migrationNames()).filter((name) => !names.has(name));
}

async function applyPending(ownerUrl: string): Promise<string[]> {
  const { engine, close } = await openSchemaEngine(ownerUrl, await datamodels());
  try {
    const { appliedMigrationNames } = await engine.applyMigrations({
      migrationsList: await migrationsList(),
      filters: FILTERS,
    });
    return appliedMigrationNames;
  } finally {
    await close();
  }
}

/**
 * An owner without CREATEROLE does when somebody else has made the role and granted it. From PostgreSQL 16 on, being
 * a member is not enough: whoever makes a role may grant it and no more (CREATE ROLE, "createrole_self_grant").
 */
async function ensureRuntimeRole(client: Client): Promise<void> {
  try {
    await client.query(`DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${RUNTIME_ROLE}') THEN
        CREATE ROLE ${RUNTIME_ROLE} NOLOGIN;
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`);
    await client.query(`DO $$ BEGIN
      IF NOT pg_has_role(current_user, '${RUNTIME_ROLE}',
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
      THEN GRANT ${RUNTIME_ROLE} TO CURRENT_USER; END IF;
    END $$`);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "42501") throw cause;
    throw new HoldfastError(
      "refused",
      `The role that owns Holdfast's database may not make the role ${RUNTIME_ROLE}, or become it.`,
      {
        remedy: `As a superuser of that server: CREATE ROLE ${RUNTIME_ROLE} NOLOGIN; GRANT ${RUNTIME_ROLE} TO ${client.user ?? "<owner>"};`,
        cause,
      },
    );
  }
  await client.query(`CREATE SCHEMA IF NOT EXISTS pgboss AUTHORIZATION ${RUNTIME_ROLE}`);
}

async function grant(client: Client): Promise<void> {
  await client.query("BEGIN");
  await client.query(`GRANT USAGE ON SCHEMA public TO ${RUNTIME_ROLE}`);
  await client.query(
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${RUNTIME_ROLE}`,
  );
  await client.query(`GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${RUNTIME_ROLE}`);
  for (const table of APPEND_ONLY) {
    await client.query(`REVOKE UPDATE, DELETE, TRUNCATE ON ${table} FROM ${RUNTIME_ROLE}`);
  }
  await client.query("COMMIT");
}

/** A login that may take on the runtime role and owns nothing; sets its password. */
export async function ensureLogin(ownerUrl: string, name: string, password: string): Promise<void> {
  const client = new Client({ connectionString: ownerUrl, application_name: "holdfast migrate" });
  await client.connect();
  try {
    const role = client.escapeIdentifier(name);
    const exists = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
    const verb = exists.rowCount === 0 ? "CREATE" : "ALTER";
    await client.query(`${verb} ROLE ${role} LOGIN NOSUPERUSER PASSWORD ${client.escapeLiteral(password)}`);
    await client.query(`GRANT ${RUNTIME_ROLE} TO ${role}`);
  } finally {
    await client.end();
  }
}
