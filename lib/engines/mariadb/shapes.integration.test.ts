import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../process/run-command.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import { roleIsolation } from "../../sandbox/isolation.ts";
import type { TestMariadb } from "../../testing/mariadb.ts";
import { startTestMariadb } from "../../testing/mariadb.ts";
import type { Sandbox } from "../engine.ts";
import type { StoredDump, TestWork } from "../testing/round-trip.ts";
import { dumpToFiles, endWork, restoreBeside, startWork } from "../testing/round-trip.ts";
import { accessTo } from "./connection.ts";
import { mariadbEngine } from "./engine.ts";
import { MARIADB } from "./flavour.ts";
import { startSandbox } from "./sandbox.ts";

/** Quotes and backslashes are a matter of their own: source-faults.integration.test.ts. */
const ODD_NAME = "sh`op; -- é %_";

let server: TestMariadb;
/** Has none of the accounts. */
let other: TestMariadb;
let work: TestWork;
let restoring: TestWork;

beforeAll(async () => {
  [server, other] = await Promise.all([startTestMariadb(), startTestMariadb()]);
  await server.createDatabase(ODD_NAME);
  await server.run(
    undefined,
    "CREATE USER shapes_owner@localhost IDENTIFIED BY 'x y'",
    "GRANT ALL ON `sh``op; -- é \\%\\_`.* TO shapes_owner@localhost",
    "CREATE ROLE readers",
    "GRANT readers TO shapes_owner@localhost",
  );
  await runCommand({
    program: "mariadb",
    args: ["--no-defaults", `--socket=${server.socket}`, "--user=root", `--database=${ODD_NAME}`],
    env: { MYSQL_PWD: String(server.access("x").password) },
    stdin: createReadStream(path.join(import.meta.dirname, "testing/shapes.sql")),
    tempDir: "/tmp",
  });
}, 120_000);
afterAll(async () => {
  await Promise.all([server.stop(), other.stop()]);
});
beforeEach(async () => {
  [work, restoring] = [await startWork(), await startWork()];
});
afterEach(async () => {
  await endWork(work);
  await endWork(restoring);
});

async function inSandbox(stored: StoredDump, sandbox: Sandbox, owners: boolean) {
  const options = { jobs: 1, spoolDir: null, owners };
  const result = await mariadbEngine.restore(sandbox.access, stored.open, options, restoring);
  const fingerprint = await mariadbEngine.fingerprint(sandbox.access, stored.fingerprint, restoring);
  const checks = await mariadbEngine.checkRestored(sandbox.access, restoring);
  return { result, comparison: compareFingerprints(stored.fingerprint, fingerprint, { owners }), checks };
}

const request = (stored: StoredDump) => ({
  serverVersion: stored.info.version,
  databaseName: stored.info.databaseName,
  encoding: stored.info.encoding,
  collation: stored.info.collation,
  extensions: [],
  diskBudgetBytes: 1024 ** 3,
  hidden: [],
});

describe("all that a MariaDB database can hold", () => {
  it("is found good by the preflight, with its warnings", async () => {
    const findings = await mariadbEngine.preflight(server.access(ODD_NAME), work.signal);
    const state = (id: string) => findings.find((finding) => finding.id === id);
    expect(findings.filter((finding) => finding.state === "problem")).toEqual([]);
    expect(state("engines")).toMatchObject({
      state: "warning",
      detail: expect.stringMatching(
        /Locked during a backup: crash \(Aria\), old \(MyISAM\)\. Not compared: cache \(MEMORY\)/,
      ),
    });
    expect(state("definers")).toMatchObject({
      state: "warning",
      detail: expect.stringMatching(/gone@nowhere/),
    });
  });

  it("survives the round trip into a sandbox, accounts and all", async () => {
    const stored = await dumpToFiles(mariadbEngine, server.access(ODD_NAME), work);
    await mariadbEngine.readThrough(await stored.open("dump"), work, []);
    const sandbox = await startSandbox(MARIADB, request(stored), restoring);
    try {
      const { result, comparison, checks } = await inSandbox(stored, sandbox, true);
      expect(comparison.tables.filter((table) => table.equal === false)).toEqual([]);
      expect(comparison.checks.filter((check) => check.state === "failed")).toEqual([]);
      expect(checks.filter((check) => check.state === "failed")).toEqual([]);
      expect(result.skipped).toEqual([]);
      expect(comparison).toMatchObject({ equal: true, byCount: false });
      expect(comparison.checks.find((check) => check.name === "sequences")?.detail).toMatch(/^2 sequences/);
      expect(comparison.checks.find((check) => check.name === "owners and grants")?.state).toBe("passed");
      expect(comparison.tables.find((table) => table.name === "cache")?.equal).toBe(null);
    } finally {
      await sandbox.stop();
    }
  });

  it("goes without definers into a sandbox where the restore is no superuser", async () => {
    const stored = await dumpToFiles(mariadbEngine, server.access(ODD_NAME), work);
    const sandbox = await startSandbox(
      MARIADB,
      request(stored),
      restoring,
      roleIsolation("a test asks for it"),
    );
    try {
      expect(sandbox.isolation).toBe("role");
      const { comparison } = await inSandbox(stored, sandbox, false);
      expect(comparison.tables.filter((table) => table.equal === false)).toEqual([]);
      expect(comparison).toMatchObject({ equal: true });
    } finally {
      await sandbox.stop();
    }
  });

  it("goes to another server that lacks the accounts, under another name", async () => {
    const stored = await dumpToFiles(mariadbEngine, server.access(ODD_NAME), work);
    expect(await readFile(stored.fileOf("dump"), "utf8")).toMatch(/DEFINER=`gone`@`nowhere`/);
    await other.createDatabase("through");
    const on = other.access("through");
    const { access, result, fingerprint } = await restoreBeside(
      mariadbEngine,
      on,
      "half",
      stored,
      restoring,
      {
        owners: false,
      },
    );
    expect(result.skipped).toEqual([]);
    const comparison = compareFingerprints(stored.fingerprint, fingerprint, { owners: false });
    expect(comparison.tables.filter((table) => table.equal === false)).toEqual([]);
    expect(comparison.checks.filter((check) => check.state === "failed")).toEqual([]);
    expect(access.connection.database).toBe("half");
    await mariadbEngine.renameDatabase(on, "half", "whole `1`", restoring);
    const renamed = accessTo(on, "whole `1`");
    const after = await mariadbEngine.fingerprint(renamed, stored.fingerprint, restoring);
    const renamedComparison = compareFingerprints(stored.fingerprint, after, { owners: false });
    expect(renamedComparison.tables.filter((table) => table.equal === false)).toEqual([]);
    expect(renamedComparison.checks.filter((check) => check.state === "failed")).toEqual([]);
    const checks = await mariadbEngine.checkRestored(renamed, restoring);
    expect(checks.filter((check) => check.state === "failed")).toEqual([]);
    expect(await other.read("whole `1`", "SELECT twice FROM zz LIMIT 1")).toBe("2");
    const all = "SELECT COUNT(*) FROM history FOR SYSTEM_TIME ALL";
    expect(await other.read("whole `1`", all)).toBe(await server.read(ODD_NAME, all));
    await mariadbEngine.assertFree(on, "half", restoring);
  });
});
