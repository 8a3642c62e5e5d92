import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Client } from "pg";
import { expect, vi } from "vitest";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { WITHIN } from "./install.ts";

/** In the server's own folder, which a sandbox's server has not. */
const GATE_FILE = "gate";

const held = new Set<Gate>();

/** Something that work on the source waits for until it is released. */
export interface Gate {
  /** Resolves when somebody waits for it whose query begins so. */
  reached(query: RegExp): Promise<void>;
  release(): Promise<void>;
}

/**
 * A database whose dump can be stopped about half way (before its large object), whose fingerprint can be stopped
 * after the dump (at d_derived, a generated column that no dump reads), and whose restore can be stopped at an
 * index. In a sandbox, where no test can stop it, it takes the time that e_gate says: see setPace.
 */
export async function makeShop(server: TestPostgres, name: string): Promise<void> {
  await server.createDatabase(name);
  const client = await server.client(name);
  await client.query(`
    CREATE TABLE a_first AS SELECT g AS id, md5(g::text) || md5((-g)::text) AS t FROM generate_series(1, 40000) g;
    ALTER TABLE a_first ADD PRIMARY KEY (id);
    SELECT lo_from_bytea(0, decode(string_agg(md5(g::text), ''), 'hex')) FROM generate_series(1, 200000) g;
    CREATE TABLE c_last AS SELECT * FROM a_first;
    CREATE TABLE d_derived (id int PRIMARY KEY, body text GENERATED ALWAYS AS (repeat(md5(id::text), 1000)) STORED);
    ALTER TABLE d_derived ALTER body SET STORAGE EXTERNAL;
    INSERT INTO d_derived VALUES (1);
    CREATE FUNCTION gate(seconds int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
      IF current_setting('cluster_name') LIKE 'holdfast-%' THEN PERFORM pg_catalog.pg_sleep(seconds);
      END IF;
      WHILE (pg_catalog.pg_stat_file('${GATE_FILE}', true)).size IS NOT NULL LOOP PERFORM pg_catalog.pg_sleep(0.05); END LOOP;
      RETURN seconds;
    END $$;
    CREATE TABLE e_gate AS SELECT 0 AS restoring, 0 AS checking;
    CREATE INDEX e_gate_index ON e_gate (gate(restoring));
    CREATE FUNCTION dawdle(a int, b int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      IF pg_catalog.current_query() LIKE '%bt_index_check%' THEN
        PERFORM pg_catalog.pg_sleep(checking) FROM public.e_gate;
      END IF;
      RETURN pg_catalog.btint4cmp(a, b);
    END $$;
    CREATE OPERATOR CLASS slow_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
      OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 dawdle(int, int);
    CREATE TABLE f_slow AS SELECT g AS id FROM generate_series(1, 2) g;
    CREATE INDEX f_slow_index ON f_slow (id slow_ops)`);
  await client.end();
}

/** Seconds that a sandbox takes for an index, and for the checks of what it restored. */
export async function setPace(
  server: TestPostgres,
  database: string,
  pace: { restoring?: number; checking?: number },
): Promise<void> {
  const client = await server.client(database);
  await client.query("UPDATE e_gate SET restoring = $1, checking = $2", [
    pace.restoring ?? 0,
    pace.checking ?? 0,
  ]);
  await client.end();
}

async function hold(server: TestPostgres, database: string, lock: string): Promise<Gate> {
  const holder = await server.client(database);
  await holder.query("BEGIN");
  await holder.query(lock);
  const { rows } = await holder.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const pid = rows[0]?.pid ?? 0;
  // Inside of a transaction the list of sessions would never change.
  const watcher = await server.client();
  const waiting = "SELECT query FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
  return opened(
    watcher,
    async () => await queriesOf(watcher, waiting, pid),
    async () => await holder.end(),
  );
}

function opened(watcher: Client, waiting: () => Promise<string[]>, open: () => Promise<void>): Gate {
  const gate: Gate = {
    async reached(query) {
      await vi.waitFor(async () => {
        const found = await waiting();
        expect(
          found.some((one) => query.test(one)),
          `waiting: ${found.join("; ")}`,
        ).toBe(true);
      }, WITHIN);
    },
    async release() {
      if (!held.delete(gate)) return;
      await open();
      await watcher.end();
    },
  };
  held.add(gate);
  return gate;
}

async function queriesOf(client: Client, text: string, pid: number): Promise<string[]> {
  const { rows } = await client.query<{ query: string }>(text, [pid]);
  return rows.map((row) => row.query);
}

/** For the end of a test, however it went. */
export async function releaseAll(): Promise<void> {
  for (const gate of [...held]) await gate.release();
}

/** A dump stops before its large object, about half way; its fingerprint stops there, too. */
export async function holdDump(server: TestPostgres, database: string): Promise<Gate> {
  return await hold(server, database, "LOCK TABLE pg_catalog.pg_largeobject IN ACCESS EXCLUSIVE MODE");
}

/**
 * For a dump that is held: lets it go on to its end, while its fingerprint stops at d_derived. What is stored out
 * of line there is read by an index of its own, which no lock on the table covers.
 */
export async function holdFingerprint(server: TestPostgres, database: string, dump: Gate): Promise<Gate> {
  const client = await server.client(database);
  const { rows } = await client.query<{ name: string }>(
    "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'd_derived'::regclass)",
  );
  await client.end();
  const gate = await hold(server, database, `REINDEX INDEX ${rows[0]?.name}`);
  await dump.release();
  return gate;
}

/** A table is locked, as a migration does. */
export async function holdTable(server: TestPostgres, database: string): Promise<Gate> {
  return await hold(server, database, "LOCK TABLE c_last IN ACCESS EXCLUSIVE MODE");
}

/** Restores into any database of the server stop at an index. */
export async function holdRestore(server: TestPostgres): Promise<Gate> {
  const file = path.join(server.dataDir, GATE_FILE);
  await writeFile(file, "");
  const watcher = await server.client();
  const sleeping = "SELECT query FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid <> $1";
  return opened(
    watcher,
    async () => await queriesOf(watcher, sleeping, 0),
    async () => await rm(file),
  );
}

/** No database of the server can be made, renamed or dropped. */
export async function holdRename(server: TestPostgres): Promise<Gate> {
  return await hold(server, "postgres", "LOCK TABLE pg_catalog.pg_database IN SHARE MODE");
}

/** No database of the server can be dropped; all else is possible. */
export async function holdDrop(server: TestPostgres): Promise<Gate> {
  return await hold(server, "postgres", "LOCK TABLE pg_catalog.pg_db_role_setting IN SHARE MODE");
}

export const DUMPING = /blob|lo_open/i;
export const FINGERPRINT = /d_derived/;
export const LOCKING = /^LOCK TABLE/;
export const INDEXING = /^CREATE INDEX e_gate_index/;
