import { readFile, writeFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { HoldfastError } from "../../errors.ts";
import { runCommand } from "../../process/run-command.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import type { TestMariadb } from "../../testing/mariadb.ts";
import { startTestMariadb } from "../../testing/mariadb.ts";
import type { Access, DumpSession } from "../engine.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { dumpToFiles, endWork, restoreBeside, startWork } from "../testing/round-trip.ts";
import { accessTo } from "./connection.ts";
import { mariadbEngine, mysqlEngine } from "./engine.ts";

const OPTIONS = { lockWaitMs: 1000, digestBudgetMs: 60_000 };

let server: TestMariadb;
let work: TestWork;
let restoring: TestWork;

/** As an ordinary user with exactly these grants on the database, and these everywhere. */
async function asUser(user: string, here: string, everywhere = ""): Promise<Access> {
  await server.run(
    undefined,
    `CREATE OR REPLACE USER ${user}@'127.0.0.1' IDENTIFIED BY 'a "b #c" \\\\ #d;'`,
    ...(here ? [`GRANT ${here} ON shop.* TO ${user}@'127.0.0.1'`] : []),
    ...(everywhere ? [`GRANT ${everywhere} ON *.* TO ${user}@'127.0.0.1'`] : []),
  );
  const access = server.access("shop");
  return { connection: { ...access.connection, user }, password: 'a "b #c" \\ #d;' };
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
  return (await mariadbEngine.preflight(access, work.signal)).find((one) => one.id === id);
}

function openPaused(session: DumpSession) {
  const [artefact] = session.artefacts;
  if (!artefact) throw new Error("no artefact");
  return artefact.open();
}

const NEEDED = "SELECT, SHOW VIEW, TRIGGER, EVENT";

beforeAll(async () => {
  server = await startTestMariadb();
  await server.createDatabase("shop");
  await server.run(
    "shop",
    "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, body TEXT)",
    "INSERT INTO orders (body) SELECT REPEAT(MD5(seq), 20) FROM seq_1_to_40000",
    "CREATE TABLE old (id INT PRIMARY KEY) ENGINE=MyISAM",
    "INSERT INTO old VALUES (1), (2)",
    "CREATE PROCEDURE tidy() DELETE FROM orders WHERE id < 0",
  );
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  [work, restoring] = [await startWork(), await startWork()];
});
afterEach(async () => {
  await endWork(work);
  await endWork(restoring);
});

describe("an ordinary user", () => {
  it("with the documented grants backs up all of it, and it is proven equal", async () => {
    const access = await asUser("backup", `${NEEDED}, LOCK TABLES`);
    await server.run(undefined, "GRANT SELECT ON mysql.* TO backup@'127.0.0.1'");
    const findings = await mariadbEngine.preflight(access, work.signal);
    expect(findings.filter((one) => one.state === "problem")).toEqual([]);
    const stored = await dumpToFiles(mariadbEngine, access, work);
    expect(work.lines.join("\n")).toMatch(/under LOCK TABLES/);
    expect(await readFile(stored.fileOf("globals"), "utf8")).toMatch(/CREATE USER `backup`@`127\.0\.0\.1`/);
    const { fingerprint } = await restoreBeside(
      mariadbEngine,
      server.access("shop"),
      "r1",
      stored,
      restoring,
    );
    expect(compareFingerprints(stored.fingerprint, fingerprint)).toMatchObject({
      equal: true,
      byCount: false,
    });
    // No password in any argument or option: only in a file that nobody else can read.
    expect(work.lines.join("\n")).not.toContain('a "b #c"');
  });

  it("who lacks a grant that the dump program passes over is refused, with the SQL that gives it", async () => {
    const access = await asUser("half", "SELECT, SHOW VIEW, LOCK TABLES");
    const found = await finding(access, "read-access");
    expect(found).toMatchObject({
      state: "problem",
      detail: expect.stringMatching(/Missing .*TRIGGER, EVENT/),
    });
    const error = await failure(mariadbEngine.beginDump(access, OPTIONS, work));
    expect(error).toMatchObject({
      code: "refused",
      message: expect.stringMatching(/has not TRIGGER, EVENT, the right to see routines on all of shop/),
    });
    await server.run(undefined, String(found?.sql));
    expect((await finding(access, "read-access"))?.state).toBe("ok");
  });

  it("who may not keep others from writing gets a backup that can't be proven, and is told the grant", async () => {
    const access = await asUser("still", NEEDED);
    await server.run(undefined, "GRANT SELECT ON mysql.proc TO still@'127.0.0.1'");
    const found = await finding(access, "moment");
    expect(found).toMatchObject({
      state: "problem",
      sql: expect.stringMatching(/GRANT LOCK TABLES ON `shop`/),
    });
    const stored = await dumpToFiles(mariadbEngine, access, work);
    const { fingerprint } = await restoreBeside(
      mariadbEngine,
      server.access("shop"),
      "r2",
      stored,
      restoring,
    );
    const { checks } = compareFingerprints(stored.fingerprint, fingerprint);
    expect(checks.find((check) => check.name === "one moment")).toMatchObject({ state: "unverifiable" });
  });

  it("who may not read a routine is told before and during a backup", async () => {
    const access = await asUser("blind", `${NEEDED}, LOCK TABLES`);
    const found = await finding(access, "routines");
    expect(found).toMatchObject({ state: "problem", sql: expect.stringMatching(/mysql\.proc/) });
    const run = async () => {
      await dumpToFiles(mariadbEngine, access, work);
    };
    expect(await failure(run())).toMatchObject({
      code: "refused",
      message: expect.stringMatching(/has not the right to see routines on all of shop/),
    });
  });

  it("restores without what only others may do, says so, and refuses where all was asked for", async () => {
    const stored = await dumpToFiles(mariadbEngine, server.access("shop"), work);
    await server.createDatabase("mine");
    await asUser("owner", "");
    await server.run(undefined, "GRANT ALL ON mine.* TO owner@'127.0.0.1'");
    const access = accessTo(await asUserAccess("owner"), "mine");
    const options = { jobs: 1, spoolDir: null, owners: true };
    const whole = mariadbEngine.restore(access, stored.open, { ...options, whole: true }, restoring);
    expect(await failure(whole)).toMatchObject({
      code: "refused",
      message: expect.stringMatching(/would not be the same/),
    });
    const { skipped } = await mariadbEngine.restore(access, stored.open, options, restoring);
    expect(skipped.map(({ object }) => object)).toEqual(["definers and grants"]);
    expect(
      await server.read(
        "mine",
        "SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mine'",
      ),
    ).toBe("owner@127.0.0.1");
  });
});

async function asUserAccess(user: string): Promise<Access> {
  const access = server.access("shop");
  return { connection: { ...access.connection, user }, password: 'a "b #c" \\ #d;' };
}

describe("faults of the source", () => {
  it("a table that stays locked ends in a sentence, and writers are let go", async () => {
    const holder = await server.client("shop");
    try {
      await holder.query("LOCK TABLES orders WRITE");
      const error = await failure(mariadbEngine.beginDump(server.access("shop"), OPTIONS, work));
      expect(error).toMatchObject({
        code: "timeout",
        message: expect.stringMatching(/locked by another session/),
      });
    } finally {
      await holder.end();
    }
    await server.run("shop", "INSERT INTO orders (body) VALUES ('after')");
  });

  it("tables without transactions are kept still until the end, and then let go; others never", async () => {
    const session = await mariadbEngine.beginDump(server.access("shop"), OPTIONS, work);
    const { stream } = openPaused(session);
    await server.run("shop", "INSERT INTO orders (body) VALUES ('meanwhile')");
    let written = false;
    const writing = server.run("shop", "INSERT INTO old VALUES (3)").then(() => {
      written = true;
    });
    const waiting = () =>
      server.read(
        undefined,
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO old%' AND STATE LIKE 'Waiting%'",
      );
    await vi.waitFor(async () => expect(await waiting()).toBe("1"), 10_000);
    expect(written).toBe(false);
    stream.resume();
    const fingerprint = await session.fingerprint();
    await session.close();
    await writing;
    expect(fingerprint.tables.find((table) => table.name === "old")).toMatchObject({
      rows: 2,
      compared: "content",
    });
    await server.run("shop", "DELETE FROM old WHERE id = 3");
  });

  it("a definition changed meanwhile makes the dump fail or the schema not comparable, and never equal", async () => {
    const session = await mariadbEngine.beginDump(server.access("shop"), OPTIONS, work);
    const { stream, done } = openPaused(session);
    await server.run("shop", "CREATE VIEW later AS SELECT 1 AS one");
    stream.resume();
    const fingerprint = await session.fingerprint();
    await done;
    await session.close();
    expect(fingerprint.schema).toMatchObject({
      digest: null,
      note: expect.stringMatching(/changed while the dump ran/),
    });
    await server.run("shop", "DROP VIEW later");
  });

  it("a server killed in the middle is told, and leaves no whole dump", async () => {
    const session = await mariadbEngine.beginDump(server.access("shop"), OPTIONS, work);
    const { stream, done } = openPaused(session);
    const ended = done.then(
      () => null,
      (error: unknown) => error,
    );
    const failed = new Promise((resolve) => stream.once("error", resolve));
    await server.kill();
    const print = failure(session.fingerprint());
    stream.resume();
    await failed;
    expect(await ended).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/connection to the server was lost/),
    });
    expect((await print).code).toBe("unavailable");
    await session.close();
    await server.start();
  });

  it("a broken view is a problem before, and stops a backup", async () => {
    await server.run(
      "shop",
      "CREATE TABLE gone (a INT)",
      "CREATE VIEW broken AS SELECT a FROM gone",
      "DROP TABLE gone",
    );
    try {
      expect(await finding(server.access("shop"), "views")).toMatchObject({
        state: "problem",
        detail: expect.stringMatching(/broken/),
      });
      const error = await failure(dumpToFiles(mariadbEngine, server.access("shop"), work));
      expect(error).toMatchObject({
        code: "refused",
        message: expect.stringMatching(/A view can't be dumped/),
      });
    } finally {
      await server.run("shop", "DROP VIEW broken");
    }
  });

  it("a name with quotes is backed up, unless it has events", async () => {
    const name = `a'b"c\\d`;
    await server.createDatabase(name);
    const access = server.access(name);
    await server.run(name, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)");
    const stored = await dumpToFiles(mariadbEngine, access, work);
    const { fingerprint } = await restoreBeside(mariadbEngine, access, `${name}2`, stored, restoring);
    expect(compareFingerprints(stored.fingerprint, fingerprint).equal).toBe(true);
    await server.run(name, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DO 1");
    expect((await finding(access, "events"))?.state).toBe("problem");
    const error = await failure(mariadbEngine.beginDump(access, OPTIONS, work));
    expect(error.message).toMatch(/events of a database whose name has quotes/);
  });

  it("the other kind of server is not taken for one's own", async () => {
    const error = await failure(mysqlEngine.probe(server.access("shop"), work.signal));
    expect(error).toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/This is a MariaDB server/),
    });
  });
});

describe("values of FLOAT", () => {
  it("are equal where six digits say all, and else not", async () => {
    await server.createDatabase("floats");
    await server.run(
      "floats",
      "CREATE TABLE short (f FLOAT)",
      "INSERT INTO short VALUES (1.1), (NULL), (-2.5e20)",
      "CREATE TABLE exact (f FLOAT)",
      "INSERT INTO exact VALUES (1.2345678), (16777215)",
    );
    const access = server.access("floats");
    const stored = await dumpToFiles(mariadbEngine, access, work);
    const { fingerprint } = await restoreBeside(mariadbEngine, access, "floats2", stored, restoring);
    const { tables } = compareFingerprints(stored.fingerprint, fingerprint);
    expect(tables).toMatchObject([
      { name: "exact", equal: false },
      { name: "short", equal: true },
    ]);
  });
});

describe("with stock tools", () => {
  it("restores by the commands that it prints", async () => {
    const stored = await dumpToFiles(mariadbEngine, server.access("shop"), work);
    for (const name of ["dump", "globals"] as const) {
      const file = `${work.tempDir}/${name}.sql.zst`;
      await runCommand({
        program: "zstd",
        args: ["-q", stored.fileOf(name), "-o", file],
        tempDir: work.tempDir,
      });
    }
    const files = { dump: "dump.sql.zst", globals: "globals.sql.zst", encrypted: false };
    const commands = mariadbEngine.restoreCommands(files, stored.info);
    const options = `[client]\nuser=root\nsocket=${server.socket}\npassword=${server.access("x").password}\n`;
    await writeFile(`${work.tempDir}/.my.cnf`, options, { mode: 0o600 });
    const args = ["-c", `set -eu\n${commands.join("\n")}\n`];
    await runCommand({ program: "bash", args, tempDir: work.tempDir, okCodes: [0] });
    const access = server.access("restored");
    const fingerprint = await mariadbEngine.fingerprint(access, stored.fingerprint, restoring);
    expect(compareFingerprints(stored.fingerprint, fingerprint)).toMatchObject({ equal: true });
  });
});
