import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { HoldfastError } from "../../errors.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { Access } from "../engine.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { dumpToFiles, endWork, restoreBeside, startWork } from "../testing/round-trip.ts";
import { postgresEngine } from "./postgres-engine.ts";

let server: TestPostgres;
let admin: Client;
let work: TestWork;
let restoring: TestWork;

async function failure(run: Promise<unknown>): Promise<HoldfastError> {
  const error = await run.then(
    () => new Error("it did not fail"),
    (caught: unknown) => caught,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}

/** A new database with what the statements make. */
async function make(name: string, ...statements: string[]): Promise<Access> {
  await server.createDatabase(name);
  const client = await server.client(name);
  for (const statement of statements) await client.query(statement);
  await client.end();
  return server.access(name);
}

beforeAll(async () => {
  server = await startTestPostgres();
  admin = await server.client();
}, 60_000);
afterAll(async () => {
  await admin.end();
  await server.stop();
});
beforeEach(async () => {
  [work, restoring] = [await startWork(), await startWork()];
});
afterEach(async () => {
  await endWork(work);
  await endWork(restoring);
});

describe("restore", () => {
  it("leaves roles that exist as they are, and makes those that do not", async () => {
    await admin.query(
      "CREATE ROLE kept LOGIN PASSWORD 'old-Password' CONNECTION LIMIT 3; CREATE ROLE dropped NOLOGIN",
    );
    await admin.query("GRANT kept TO dropped; COMMENT ON ROLE dropped IS 'to come back'");
    const access = await make("roles", "CREATE TABLE t (id integer)", "ALTER TABLE t OWNER TO dropped");
    const stored = await dumpToFiles(postgresEngine, access, work);
    await admin.query("ALTER ROLE kept PASSWORD 'new-Password' CONNECTION LIMIT 9");
    await admin.query("DROP DATABASE roles");
    await admin.query("DROP ROLE dropped");
    const verifier = async () =>
      (await admin.query("SELECT rolpassword, rolconnlimit FROM pg_authid WHERE rolname = 'kept'")).rows[0];
    const before = await verifier();
    const { fingerprint } = await restoreBeside(postgresEngine, server.access(), "roles2", stored, restoring);
    expect(await verifier()).toEqual(before);
    expect(compareFingerprints(stored.fingerprint, fingerprint).equal).toBe(true);
    const { rows } = await admin.query("SELECT pg_has_role('dropped', 'kept', 'MEMBER') AS member");
    expect(rows[0]).toEqual({ member: true });
  });

  it("does not restore owners unless asked, and compares without them", async () => {
    await admin.query("CREATE ROLE owner_of_it NOLOGIN");
    const access = await make("owned", "CREATE TABLE t (id integer)", "ALTER TABLE t OWNER TO owner_of_it");
    const stored = await dumpToFiles(postgresEngine, access, work);
    const { fingerprint } = await restoreBeside(
      postgresEngine,
      server.access(),
      "owned2",
      stored,
      restoring,
      {
        owners: false,
      },
    );
    expect(compareFingerprints(stored.fingerprint, fingerprint, { owners: false }).equal).toBe(true);
    expect(compareFingerprints(stored.fingerprint, fingerprint).equal).toBe(false);
  });

  it("as an ordinary user says what only a superuser can restore, and restores the rest", async () => {
    const access = await make(
      "mixed",
      "CREATE EXTENSION hstore",
      "CREATE TABLE t (id integer, h hstore)",
      "INSERT INTO t VALUES (1, 'a=>1')",
      "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
      "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION e()",
      "COMMENT ON EVENT TRIGGER watch IS 'x'",
    );
    const stored = await dumpToFiles(postgresEngine, access, work);
    await admin.query("CREATE ROLE plain LOGIN CREATEDB PASSWORD 'plain-Password-1'");
    const plain: Access = {
      connection: { ...server.access().connection, user: "plain" },
      password: "plain-Password-1",
    };
    const { result, fingerprint } = await restoreBeside(postgresEngine, plain, "mixed2", stored, restoring);
    expect(result.skipped.map((one) => one.object)).toEqual([
      "owners and grants",
      "EVENT TRIGGER watch",
      "COMMENT EVENT TRIGGER watch",
    ]);
    const { tables, checks } = compareFingerprints(stored.fingerprint, fingerprint);
    expect(tables.map((table) => table.equal)).toEqual([true]);
    expect(checks.find((check) => check.name === "owners and grants")?.state).toBe("not compared");
  });

  it("restores into a later major, whose definitions are not comparable, and names missing extensions", async () => {
    const access = await make("extended", "CREATE EXTENSION citext", "CREATE TABLE t (c citext)");
    // PostgreSQL 17 dropped this one.
    const outdated = await make("outdated", "CREATE EXTENSION old_snapshot");
    const stored = await dumpToFiles(postgresEngine, access, work);
    const later = await startTestPostgres({ major: 18 });
    try {
      const { fingerprint } = await restoreBeside(postgresEngine, later.access(), "r1", stored, restoring);
      const comparison = compareFingerprints(stored.fingerprint, fingerprint);
      expect(comparison.equal).toBe(true);
      expect(comparison.checks.find((check) => check.name === "schema")).toMatchObject({
        state: "not compared",
        detail: expect.stringContaining("the source is PostgreSQL 15, this is 18"),
      });
      const old = await dumpToFiles(postgresEngine, outdated, work);
      const error = await failure(restoreBeside(postgresEngine, later.access(), "r2", old, restoring));
      expect(error).toMatchObject({
        code: "unavailable",
        message: "extension old_snapshot is not available on the target server",
      });
    } finally {
      await later.stop();
    }
  });

  it("stops at the first object that the server rejects, and says which", async () => {
    const access = await make("rejected", "CREATE TABLE t (id integer)", "INSERT INTO t VALUES (1), (1)");
    const client = await server.client("rejected");
    // An index that was broken without anybody noticing.
    await client.query("CREATE INDEX broken ON t (id)");
    await client.query("UPDATE pg_index SET indisunique = true WHERE indexrelid = 'broken'::regclass");
    await client.end();
    const stored = await dumpToFiles(postgresEngine, access, work);
    const error = await failure(
      restoreBeside(postgresEngine, server.access(), "rejected2", stored, restoring),
    );
    expect(error).toMatchObject({
      code: "refused",
      message: expect.stringMatching(/stopped at INDEX broken.*could not create unique index/s),
    });
  });

  it("leaves no process and no session when it is cancelled", async () => {
    const access = await make(
      "slow",
      "CREATE TABLE t (id integer)",
      "INSERT INTO t SELECT generate_series(1, 1000)",
      "CREATE FUNCTION slowly(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN IF current_setting(''application_name'') LIKE ''holdfast%'' THEN PERFORM pg_sleep(60); END IF; RETURN $1; END'",
      "CREATE INDEX ON t (slowly(id))",
    );
    const stored = await dumpToFiles(postgresEngine, access, work);
    const target = await postgresEngine.createDatabase(server.access(), "slow2", stored.info, restoring);
    const options = { jobs: 1, spoolDir: null, owners: false };
    const running = postgresEngine.restore(target, stored.open, options, restoring);
    running.catch(() => undefined);
    const busy = async () =>
      (
        await admin.query<{ n: number }>(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'CREATE INDEX%'",
          [restoring.applicationName],
        )
      ).rows[0]?.n;
    await vi.waitFor(async () => expect(await busy()).toBe(1), 20_000);
    restoring.abort(new HoldfastError("refused", "Cancelled by a test."));
    await expect(running).rejects.toThrow("Cancelled by a test.");
    const again = await startWork();
    await postgresEngine.dropDatabase(server.access(), "slow2", {
      ...again,
      applicationName: restoring.applicationName,
    });
    await endWork(again);
    await vi.waitFor(async () => expect(await busy()).toBe(0), 10_000);
  });
});
