import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import type { OperationDto } from "../../lib/operations/schema.ts";
import type { TestDb } from "../../lib/testing/metadata.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { startTestPostgres } from "../../lib/testing/postgres.ts";
import type { Install } from "./install.ts";
import { createInstall } from "./install.ts";
import { nothingLeft } from "./leftovers.ts";

const STALL_SECONDS = 12;
/** Of one statement that has nothing to count: longer than the limit. */
const BUSY_SECONDS = 16;
const PATIENT = { timeout: 110_000, interval: 100 };

/** Where a restore works: a sandbox, or the database that it has not yet named. */
const RESTORED =
  "(current_setting('cluster_name') LIKE 'holdfast-%' OR current_database() LIKE 'holdfast_restore_%')";

let meta: TestDb;
let server: TestPostgres;
let install: Install;
const backups = new Map<string, string>();

beforeAll(async () => {
  [meta, server] = await Promise.all([createTestDb(), startTestPostgres()]);
  install = await createInstall(meta);
  await make(
    "busy",
    `CREATE FUNCTION compute() RETURNS void LANGUAGE plpgsql AS $$
      DECLARE until timestamptz := clock_timestamp() + interval '${BUSY_SECONDS} s';
      BEGIN WHILE clock_timestamp() < until LOOP END LOOP; END $$;
    CREATE FUNCTION slow(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
      IF ${RESTORED} THEN PERFORM public.compute(); END IF; RETURN a; END $$;
    CREATE TABLE one AS SELECT 1 AS id;
    CREATE INDEX slow_index ON one (slow(id));
    CREATE FUNCTION slow_order(a int, b int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      IF current_query() ~ 'bt_index_check' THEN PERFORM public.compute(); END IF; RETURN btint4cmp(a, b); END $$;
    CREATE OPERATOR CLASS slow_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
      OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 slow_order(int, int);
    CREATE TABLE two AS SELECT generate_series(1, 2) AS id`,
    "CREATE INDEX slow_check ON two (id slow_ops)",
  );
  await make(
    "stuck",
    `CREATE FUNCTION take() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
      LOCK TABLE pg_catalog.pg_shdescription IN SHARE MODE; END $$;
    CREATE FUNCTION wait(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
      IF ${RESTORED} THEN PERFORM public.take(); END IF; RETURN a; END $$;
    CREATE TABLE t AS SELECT 1 AS id;
    CREATE INDEX stuck_index ON t (wait(id))`,
  );
  await install.worker("one", { env: { HOLDFAST_STALL_SECONDS: String(STALL_SECONDS) } });
  for (const database of ["busy", "stuck"]) {
    const { id, operationId } = await runBackup(install.ctx, { database, verify: false });
    await install.until(operationId, "succeeded");
    backups.set(database, id);
  }
});
afterAll(async () => {
  await install.cleanUp();
  await Promise.all([server.stop(), meta.drop()]);
});

async function make(name: string, ...statements: string[]): Promise<void> {
  await server.createDatabase(name);
  const client = await server.client(name);
  for (const statement of statements) await client.query(statement);
  await client.end();
  await install.register(name, server.url(name));
}

const restore = (database: string) =>
  restoreBackup(install.ctx, backups.get(database) ?? "", {
    target: { kind: "new", on: database, name: `${database}_new` },
  });

async function ended(id: string): Promise<OperationDto> {
  return await vi.waitFor(() => install.until(id, "succeeded", "failed"), PATIENT);
}

it("long statements that move go on for longer than the limit; one that waits for a lock is ended, and says for whose", async () => {
  const holder = await server.client();
  await holder.query("SET application_name = 'a migration'");
  // A lock that all databases of the server share, in a mode in which it is in nobody else's way.
  await holder.query("BEGIN; LOCK TABLE pg_catalog.pg_shdescription IN ROW EXCLUSIVE MODE");
  const [long, blocked] = [await restore("busy"), await restore("stuck")];
  const stuck = await ended(blocked.id);
  expect(stuck.state).toBe("failed");
  expect(stuck.reason).toBe(
    `It made no progress for ${STALL_SECONDS} s: CREATE INDEX stuck_index ON public.t USING btree (public.wait(id)); ` +
      "waits for a lock that a migration (postgres) holds.",
  );
  await holder.end();
  const restored = await ended(long.id);
  expect(restored, restored.reason ?? "").toMatchObject({ state: "succeeded" });
  const proof = await verifyBackup(install.ctx, backups.get("busy") ?? "");
  const proven = await ended(proof.id);
  expect(proven, proven.reason ?? "").toMatchObject({ state: "succeeded", result: { verdict: "proven" } });
  await nothingLeft(install, server, ["busy", "stuck", "busy_new"]);
}, 300_000);
