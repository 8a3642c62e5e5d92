import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isHoldfastError, messageOf } from "../../errors.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import type { Fingerprint, ProofCheck } from "../../proof/schema.ts";
import { sandboxRoot } from "../../sandbox/sandbox-folder.ts";
import { sqliteEngine } from "./engine.ts";
import { startSqliteSandbox } from "./sandbox.ts";
import { noTables, REQUEST, SHAPES, type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

let here: SqliteFolder;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(async () => {
  expect(await readdir(sandboxRoot(here.tempRoot)).catch(() => [])).toEqual([]);
  await here.remove();
});

interface Proof {
  refused: string | null;
  fingerprint: Fingerprint | null;
  checks: ProofCheck[];
  /** What lies in the sandbox afterwards. */
  left: string[];
}

/** All of a proof, as far as it goes. Anything but an error for people is a fault of ours. */
async function prove(bytes: Buffer, like: Fingerprint = noTables()): Promise<Proof> {
  const proof: Proof = { refused: null, fingerprint: null, checks: [], left: [] };
  const { access, stop } = await sqliteEngine.startSandbox(REQUEST, here.work);
  const box = path.join(sandboxRoot(here.tempRoot), String(access.connection.sandbox), "box");
  try {
    const options = { jobs: 1, spoolDir: null, owners: false };
    await sqliteEngine.restore(access, async () => Readable.from([bytes]), options, here.work);
    proof.fingerprint = await sqliteEngine.fingerprint(access, like, here.work);
    proof.checks = await sqliteEngine.checkRestored(access, here.work);
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    proof.refused = messageOf(error);
  } finally {
    proof.left = await readdir(box);
    await stop();
  }
  return proof;
}

/** Makes a database with functions that only its makers have, and rows in sqlite_schema that SQLite would refuse. */
async function craft(sql: string, schemaRow?: string): Promise<Buffer> {
  const database = new DatabaseSync(here.file, { defensive: false });
  for (const name of ["load_extension", "writefile", "readfile", "hex"]) {
    database.function(name, { deterministic: true, varargs: true }, () => null);
  }
  database.exec(sql);
  if (schemaRow) database.exec(`PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ${schemaRow}`);
  database.close();
  return await readFile(here.file);
}

const TABLE = "CREATE TABLE t (a); INSERT INTO t (a) VALUES (1), (2)";
const trigger = (body: string) =>
  `('trigger', 'x', 't', 0, 'CREATE TRIGGER x AFTER INSERT ON t BEGIN ${body.replaceAll("'", "''")}; END')`;
const virtual = (how: string) =>
  `('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING ${how.replaceAll("'", "''")}')`;

describe("a schema that wants to do something", () => {
  it.each([
    ["a trigger that loads a library", TABLE, trigger("SELECT load_extension('/tmp/evil.so')")],
    ["a trigger that writes a file", TABLE, trigger("SELECT writefile('/tmp/hf-evil', a) FROM t")],
    ["a view that loads a library", `${TABLE}; CREATE VIEW v AS SELECT load_extension('/tmp/evil.so')`],
    [
      "a default that loads a library",
      `CREATE TABLE t (a, b DEFAULT (load_extension('/tmp/evil.so'))); INSERT INTO t (a) VALUES (1), (2)`,
    ],
    [
      "a check that writes a file",
      `CREATE TABLE t (a CHECK (writefile('/tmp/hf-evil', a) IS NULL)); INSERT INTO t VALUES (1), (2)`,
    ],
    [
      "a stored column that writes a file",
      `CREATE TABLE t (a, b AS (writefile('/tmp/hf-evil', a)) STORED); INSERT INTO t (a) VALUES (1), (2)`,
    ],
    ["a virtual table over a file of the host", TABLE, virtual("csv(filename='/etc/passwd')")],
    ["a virtual table of a folder", TABLE, virtual("fsdir")],
  ])("runs nothing, and its tables are read: %s", async (_what, sql, schemaRow?: string) => {
    const proof = await prove(await craft(sql, schemaRow));
    expect(proof.refused).toBeNull();
    expect(proof.fingerprint?.tables.find((table) => table.name === "t")).toMatchObject({
      rows: 2,
      compared: "content",
    });
    expect(proof.checks.filter((check) => check.state === "failed")).toEqual([]);
    expect(proof.left).toEqual(["database.sqlite"]);
  });

  it.each([
    [
      "a trigger that attaches a file",
      TABLE,
      trigger("ATTACH '/tmp/hf-evil' AS y"),
      /damaged: .*malformed database schema/,
    ],
    [
      "a column that loads a library",
      `CREATE TABLE t (a, b AS (load_extension('/tmp/evil.so')))`,
      undefined,
      /unsafe use of load_extension/,
    ],
    ["what is no SQL", TABLE, "('table', 'c', 'c', 0, 'not sql at all')", /malformed database schema/],
    [
      "a page that is not there",
      TABLE,
      "('table', 'c', 'c', 99999, 'CREATE TABLE c (x)')",
      /invalid rootpage/,
    ],
    [
      "the page of another table",
      TABLE,
      "('table', 'c', 'c', 2, 'CREATE TABLE c (x)')",
      /2nd reference to page/,
    ],
  ])("is refused, and leaves nothing: %s", async (_what, sql, schemaRow, says) => {
    const proof = await prove(await craft(sql, schemaRow));
    expect(proof.refused).toMatch(says);
    expect(proof.left).toEqual([]);
  });

  it("an index with a function of its own program can't be checked, and that is no pass", async () => {
    const proof = await prove(await craft(`${TABLE}; CREATE INDEX i ON t (readfile(a))`));
    expect(proof.refused).toBeNull();
    expect(proof.fingerprint?.tables[0]).toMatchObject({ rows: 2 });
    expect(proof.checks.find((check) => check.name === "integrity")).toEqual({
      name: "integrity",
      state: "unverifiable",
      detail: "integrity_check could not be run: unknown function: readfile()",
    });
  });

  it("what needs more memory than the sandbox has is no damage", async () => {
    const sql = "CREATE TABLE t (a); CREATE INDEX i ON t (length(hex(zeroblob(a))))";
    const bytes = await craft(`${sql}; INSERT INTO t VALUES (300000000)`);
    const limits = { memoryBytes: 1_800 * 1024 ** 2 };
    const { access, stop } = await startSqliteSandbox(REQUEST, here.work, { limits });
    const options = { jobs: 1, spoolDir: null, owners: false };
    await expect(
      sqliteEngine.restore(access, async () => Readable.from([bytes]), options, here.work),
    ).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("out of memory") });
    await stop();
  });
});

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("bytes that are not as they were", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "are never proven equal, and never more than a failed proof (%i)",
    async (seed) => {
      here.write(`${SHAPES} WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 500)
      INSERT INTO keyed SELECT 'k' || i, printf('%040d', i * i) FROM n; CREATE INDEX keyed_v ON keyed (v)`);
      const { bytes, fingerprint } = await here.dump();
      const random = numbers(seed);
      const spoilt = Buffer.from(bytes);
      const pages = bytes.length / 4096;
      // Headers and cell pointers of several pages: what a parser of them has to withstand.
      for (let n = 0; n < 12; n++) {
        const page = Math.floor(random() * pages) * 4096;
        const at = page + Math.floor(random() * (n % 2 === 0 ? 64 : 4096));
        spoilt[at] = (spoilt[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      }
      const proof = await prove(spoilt, fingerprint);
      if (proof.refused !== null || proof.fingerprint === null) return expect(proof.refused).not.toBe("");
      const failed = proof.checks.some((check) => check.state === "failed");
      const { equal } = compareFingerprints(fingerprint, proof.fingerprint);
      expect(equal && !failed).toBe(false);
    },
  );
});
