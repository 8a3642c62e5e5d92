import { readFile } from "node:fs/promises";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HoldfastError } from "../../errors.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { Access, DumpSession } from "../engine.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { dumpToFiles, endWork, restoreBeside, startWork } from "../testing/round-trip.ts";
import { postgresEngine } from "./postgres-engine.ts";

const OPTIONS = { lockWaitMs: 200, digestBudgetMs: 60_000 };

let server: TestPostgres;
let admin: Client;
let work: TestWork;
let restoring: TestWork;

/** As the role `backup`, which is no superuser. */
function asBackup(): Access {
  const access = server.access("shop");
  return { connection: { ...access.connection, user: "backup" }, password: "backup-Password-1" };
}

async function failure(run: Promise<unknown>): Promise<HoldfastError> {
  const error = await run.then(
    () => new Error("it did not fail"),
    (caught: unknown) => caught,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}

async function finding(access: Access, id: string) {
  const findings = await postgresEngine.preflight(access, work.signal);
  return findings.find((one) => one.id === id);
}

/** Holds the dump's stream at its first bytes. */
async function openPaused(session: DumpSession) {
  const [artefact] = session.artefacts;
  if (!artefact) throw new Error("no artefact");
  const { stream, done } = artefact.open();
  await new Promise((resolve) => stream.once("readable", resolve));
  return { stream, done };
}

beforeAll(async () => {
  server = await startTestPostgres();
  await server.createDatabase("shop");
  admin = await server.client("shop");
  await admin.query(`
    CREATE ROLE backup LOGIN PASSWORD 'backup-Password-1';
    GRANT pg_read_all_data TO backup;
    CREATE TABLE orders (id serial PRIMARY KEY, body text);
    INSERT INTO orders (body) SELECT repeat(md5(i::text), 20) FROM generate_series(1, 20000) i;
    CREATE TABLE "Odd Table" (id integer)`);
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

describe("an ordinary role with pg_read_all_data", () => {
  it("backs up all of it", async () => {
    const stored = await dumpToFiles(postgresEngine, asBackup(), work);
    expect(await readFile(stored.fileOf("globals"), "utf8")).toContain("PASSWORD 'SCRAM-SHA-256$");
    const { fingerprint } = await restoreBeside(postgresEngine, server.access(), "r1", stored, restoring);
    expect(compareFingerprints(stored.fingerprint, fingerprint)).toMatchObject({ equal: true });
  });

  it("is told about one table that it may not read, before and during a backup", async () => {
    await admin.query("REVOKE pg_read_all_data FROM backup; GRANT SELECT ON orders, orders_id_seq TO backup");
    try {
      const access = await finding(asBackup(), "read-access");
      expect(access).toMatchObject({ state: "problem", detail: 'Not readable: public."Odd Table".' });
      expect(access?.sql).toBe('GRANT pg_read_all_data TO "backup";');
      const error = await failure(postgresEngine.beginDump(asBackup(), OPTIONS, work));
      expect(error).toMatchObject({ code: "refused", message: "User backup may not read table Odd Table." });
      await admin.query('GRANT SELECT ON "Odd Table" TO backup');
      expect(await finding(asBackup(), "read-access")).toMatchObject({ state: "ok" });
      expect(await finding(asBackup(), "roles")).toMatchObject({ state: "warning" });
      const stored = await dumpToFiles(postgresEngine, asBackup(), work);
      expect(work.lines.join("\n")).toContain("without their passwords");
      expect(await readFile(stored.fileOf("globals"), "utf8")).not.toContain("PASSWORD");
    } finally {
      await admin.query("GRANT pg_read_all_data TO backup");
    }
  });

  it("is told about row-level security, and gets no partial backup", async () => {
    await admin.query("CREATE TABLE tenants (id integer); ALTER TABLE tenants ENABLE ROW LEVEL SECURITY");
    try {
      expect(await finding(asBackup(), "row-security")).toMatchObject({
        state: "problem",
        detail: "Policies apply to this user on public.tenants.",
        sql: 'ALTER ROLE "backup" BYPASSRLS;',
      });
      const error = await failure(dumpToFiles(postgresEngine, asBackup(), work));
      expect(error).toMatchObject({
        code: "refused",
        message: expect.stringMatching(/ecurity.*tenants|tenants/),
      });
      await admin.query("ALTER ROLE backup BYPASSRLS");
      expect(await finding(asBackup(), "row-security")).toMatchObject({ state: "ok" });
      await dumpToFiles(postgresEngine, asBackup(), work);
    } finally {
      await admin.query("DROP TABLE tenants; ALTER ROLE backup NOBYPASSRLS");
    }
  });

  it("is told about large objects, with SQL that helps", async () => {
    await admin.query("SELECT lo_from_bytea(1001, 'x'), lo_from_bytea(1002, 'y')");
    try {
      const found = await finding(asBackup(), "large-objects");
      expect(found).toMatchObject({
        state: "problem",
        detail: "2 of 2 large objects are not readable for backup.",
      });
      const error = await failure(dumpToFiles(postgresEngine, asBackup(), work));
      expect(error.message).toMatch(/large object 100/);
      await admin.query(found?.sql ?? "");
      expect(await finding(asBackup(), "large-objects")).toMatchObject({ state: "ok" });
      const full = await dumpToFiles(postgresEngine, asBackup(), work);
      expect(full.fingerprint.largeObjects).toEqual({ count: 2, digest: expect.stringMatching(/^-?\d+$/) });
      await admin.query(
        "REVOKE pg_read_all_data FROM backup; GRANT SELECT ON ALL TABLES IN SCHEMA public TO backup",
      );
      await admin.query("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO backup");
      expect(await finding(asBackup(), "large-objects")).toMatchObject({ state: "warning" });
      const stored = await dumpToFiles(postgresEngine, asBackup(), work);
      expect(stored.fingerprint.largeObjects).toEqual({ count: 2, digest: null });
      expect(stored.fingerprint.notCompared.join()).toContain("Large objects: compared by number only");
    } finally {
      await admin.query("SELECT lo_unlink(1001), lo_unlink(1002)");
      await admin.query("GRANT pg_read_all_data TO backup");
    }
  });
});

describe("a source in trouble", () => {
  it("gives up on a locked table after the lock wait limit, and names who holds it", async () => {
    const migration = await server.client("shop");
    await migration.query(
      "SET application_name = 'migrate'; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE",
    );
    try {
      expect(await finding(server.access("shop"), "locks")).toMatchObject({
        state: "warning",
        detail: "Locked now: orders.",
      });
      const error = await failure(postgresEngine.beginDump(server.access("shop"), OPTIONS, work));
      expect(error).toMatchObject({
        code: "timeout",
        message: expect.stringMatching(/orders by process \d+ \(migrate\)/),
      });
    } finally {
      await migration.end();
    }
  });

  it("keeps tables from being emptied between snapshot and dump", async () => {
    const session = await postgresEngine.beginDump(server.access("shop"), OPTIONS, work);
    try {
      const truncate = admin.query("SET lock_timeout = 100; TRUNCATE orders");
      await expect(truncate).rejects.toMatchObject({ code: "55P03" });
    } finally {
      await admin.query("SET lock_timeout = 0");
      await session.close();
    }
  });

  it("fails the dump when the connection that holds the snapshot is lost", async () => {
    const session = await postgresEngine.beginDump(server.access("shop"), OPTIONS, work);
    try {
      const { stream, done } = await openPaused(session);
      const failed = new Promise<Error>((resolve) => stream.once("error", resolve));
      await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND state = 'idle in transaction'",
        [work.applicationName],
      );
      const error = await failed;
      expect(error).toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("holds the snapshot"),
      });
      await expect(done).rejects.toBe(error);
      expect((await failure(session.fingerprint())).message).toContain("holds the snapshot");
    } finally {
      await session.close();
    }
  });

  it("fails the dump when pg_dump's own connection is lost", async () => {
    const session = await postgresEngine.beginDump(server.access("shop"), OPTIONS, work);
    try {
      const { stream, done } = await openPaused(session);
      await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'COPY %'",
        [work.applicationName],
      );
      stream.on("error", () => undefined);
      stream.resume();
      expect(await failure(done)).toMatchObject({ code: "unavailable" });
    } finally {
      await session.close();
    }
  });

  it("counts what a used-up time budget leaves without a digest", async () => {
    const stored = await dumpToFiles(postgresEngine, server.access("shop"), work, { digestBudgetMs: 1 });
    const orders = stored.fingerprint.tables.find((table) => table.name === "public.orders");
    expect(orders).toMatchObject({
      rows: 20_000,
      digest: null,
      compared: "count",
      note: "the time budget for content digests was used up",
    });
    const { fingerprint } = await restoreBeside(postgresEngine, server.access(), "r2", stored, restoring);
    expect(compareFingerprints(stored.fingerprint, fingerprint)).toMatchObject({
      equal: true,
      byCount: true,
    });
  });

  it("ends what a lost worker left behind", async () => {
    const session = await postgresEngine.beginDump(server.access("shop"), OPTIONS, work);
    try {
      expect(await postgresEngine.endSessions(server.access(), work.applicationName)).toBe(1);
      expect(await postgresEngine.endSessions(server.access(), work.applicationName)).toBe(0);
    } finally {
      await session.close();
    }
  });
});

describe("a server newer than the client tools", () => {
  it("says which package is missing", async () => {
    const newer = await startTestPostgres({ major: 18 });
    try {
      const error = await failure(postgresEngine.beginDump(newer.access(), OPTIONS, work));
      expect(error.code).toBe("unavailable");
      expect(error.message).toMatch(
        /The server is PostgreSQL 18, and the newest pg_dump on this machine is \d+/,
      );
      expect(error.remedy).toContain("apt-get install postgresql-client-18");
      expect(await finding(newer.access(), "client-tools")).toMatchObject({ state: "problem" });
      expect(await postgresEngine.probe(newer.access(), work.signal)).toMatchObject({
        major: 18,
        collation: "C.UTF-8",
      });
    } finally {
      await newer.stop();
    }
  });
});
