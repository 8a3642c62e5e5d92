import { existsSync } from "node:fs";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { HoldfastError } from "../../errors.ts";
import { roleIsolation } from "../../sandbox/isolation.ts";
import { sweepLeftovers } from "../../sandbox/leftovers.ts";
import type { Sandbox } from "../engine.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { endWork, startWork } from "../testing/round-trip.ts";
import { withSession } from "./connect.ts";
import { mariadbEngine } from "./engine.ts";
import { MARIADB } from "./flavour.ts";
import { startSandbox } from "./sandbox.ts";

const REQUEST = {
  serverVersion: "10.11.1",
  databaseName: "shop",
  encoding: "utf8mb4",
  collation: "utf8mb4_general_ci",
  extensions: [],
  diskBudgetBytes: 256 * 1024 ** 2,
  hidden: [],
};

/** Read by nobody in there; the worker is root, and may. */
const SECRET = "/etc/shadow";
const TOUCHED = `/tmp/hf-touched-${process.pid}`;

async function failure(run: Promise<unknown>): Promise<HoldfastError> {
  const error = await run.then(
    () => new Error("it did not fail"),
    (caught: unknown) => caught,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}

const dumpOf = (...statements: string[]) =>
  `-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB\n\n${statements.join("\n")}\n-- Dump completed on 2026-01-01  1:02:03\n`;

describe.each(["namespaces", "role"] as const)("a dump that means harm, in a sandbox by %s", (mode) => {
  let work: TestWork;
  let sandbox: Sandbox;
  beforeAll(async () => {
    work = await startWork();
    const isolation = mode === "role" ? roleIsolation("a test asks for it") : undefined;
    sandbox = await startSandbox(MARIADB, REQUEST, work, isolation);
    expect(sandbox.isolation).toBe(mode);
  }, 60_000);
  afterAll(async () => {
    await sandbox.stop();
    await endWork(work);
  });
  let restoring: TestWork;
  beforeEach(async () => {
    restoring = await startWork();
  });
  afterEach(async () => {
    await withSession(MARIADB, sandbox.access, {}, async (session) => {
      for (const name of ["a", "b"]) await session.run(`DROP TABLE IF EXISTS ${name}`);
      await session.run("DROP EVENT IF EXISTS e");
      await session.run("DROP PROCEDURE IF EXISTS p");
    });
    await endWork(restoring);
    expect(existsSync(TOUCHED)).toBe(false);
  });

  const restore = async (dump: string) => {
    const options = { jobs: 1, spoolDir: null, owners: false };
    return await mariadbEngine.restore(
      sandbox.access,
      async (name) => Readable.from([name === "dump" ? dump : ""]),
      options,
      restoring,
    );
  };
  const read = async (query: string): Promise<string> =>
    await withSession(MARIADB, sandbox.access, {}, async (session) => {
      const [row] = await session.rows<Record<string, unknown>>(query);
      return String(Object.values(row ?? {})[0]);
    });

  it.each([
    ["runs a program through the client", `system touch ${TOUCHED}`],
    ["runs one in the middle", `CREATE TABLE a (x INT);\n\\! touch ${TOUCHED}`],
    ["reads another file", "source /etc/passwd"],
    [
      "loads a file of the worker",
      `CREATE TABLE a (x TEXT);\nLOAD DATA LOCAL INFILE '${SECRET}' INTO TABLE a;`,
    ],
    ["turns events on", "SET GLOBAL event_scheduler = ON;"],
    ["makes a superuser", "GRANT ALL ON *.* TO root@'%' IDENTIFIED BY '';"],
  ])("is refused where it %s", async (_what, statement) => {
    expect(await failure(restore(dumpOf(statement)))).toMatchObject({ code: "refused" });
  });

  it.each([
    ["the client", `INSERT INTO \`a\` VALUES (1);\\! touch ${TOUCHED}`],
    ["the client, by name", `INSERT INTO \`a\` VALUES (1);\nsystem touch ${TOUCHED}`],
    ["the server's files", `INSERT INTO \`a\` VALUES (1); SELECT 'x' INTO OUTFILE '${TOUCHED}';`],
    [
      "the server's files, from rows",
      `INSERT INTO \`a\` VALUES (1); LOAD DATA LOCAL INFILE '${SECRET}' INTO TABLE b;`,
    ],
  ])("gets nowhere behind rows, by %s", async (_what, statement) => {
    const tables = "CREATE TABLE a (x TEXT);\nCREATE TABLE b (x TEXT);";
    const error = await failure(restore(dumpOf(tables, statement)));
    expect(["refused", "unavailable"]).toContain(error.code);
    expect(await read("SELECT COUNT(*) FROM b")).toBe("0");
  });

  it("reads no file by a function", async () => {
    await restore(
      dumpOf(
        "CREATE TABLE a (x LONGTEXT);",
        `INSERT INTO \`a\` VALUES (LOAD_FILE('${SECRET}')), (LOAD_FILE('/etc/passwd'));`,
      ),
    );
    expect(await read("SELECT COUNT(x) FROM a")).toBe("0");
  });

  it("restores events that do not run", async () => {
    await restore(
      dumpOf(
        "CREATE TABLE a (x INT);",
        "DELIMITER ;;",
        "CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO INSERT INTO a VALUES (1) ;;",
        "DELIMITER ;",
      ),
    );
    expect(await read("SELECT COUNT(*) FROM information_schema.EVENTS")).toBe("1");
    expect(await read("SELECT @@event_scheduler")).toBe("OFF");
    await withSession(MARIADB, sandbox.access, {}, (session) => session.run("DO SLEEP(1.5)"));
    expect(await read("SELECT COUNT(*) FROM a")).toBe("0");
  });

  it("has no network", async () => {
    expect(await read("SELECT @@skip_networking")).toBe("1");
  });
});

describe("a sandbox", () => {
  let work: TestWork;
  beforeEach(async () => {
    work = await startWork();
  });
  afterEach(() => endWork(work));

  it("ends when the data takes more disk than its budget", async () => {
    const sandbox = await startSandbox(MARIADB, { ...REQUEST, diskBudgetBytes: 1024 ** 2 }, work);
    try {
      const fill = async () => {
        await withSession(MARIADB, sandbox.access, {}, async (session) => {
          await session.run("CREATE TABLE a (x LONGBLOB)");
          for (;;) await session.run("INSERT INTO a VALUES (RANDOM_BYTES(1024)), (REPEAT('x', 8000000))");
        });
      };
      await expect(fill()).rejects.toThrow();
      await vi.waitFor(() => expect(sandbox.ended.aborted).toBe(true), 5_000);
      expect(sandbox.ended.reason).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/of disk/),
      });
    } finally {
      await sandbox.stop();
    }
  });

  it("is gone when it is stopped", async () => {
    const sandbox = await startSandbox(MARIADB, REQUEST, work);
    const socket = String(sandbox.access.connection.host);
    await sandbox.stop();
    await sandbox.stop();
    expect(existsSync(socket)).toBe(false);
    expect(await sweepLeftovers(work.tempDir)).toMatchObject({ folders: 0 });
  });

  it("of a newer server than this machine has can't be made", async () => {
    const error = await failure(startSandbox(MARIADB, { ...REQUEST, serverVersion: "99.1.0" }, work));
    expect(error).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/99\.1 or newer is not available/),
    });
    expect(error.remedy).toMatch(/mariadb-server-core/);
  });
});
