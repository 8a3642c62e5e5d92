import { createReadStream } from "node:fs";
import { stat, truncate } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { ErrorCode } from "../errors.ts";
import { HoldfastError } from "../errors.ts";
import { compareFingerprints } from "../proof/compare.ts";
import type { Access, Engine } from "./engine.ts";
import type { TestWork } from "./testing/round-trip.ts";
import { dumpToFiles, endWork, restoreBeside, startWork } from "./testing/round-trip.ts";

/** A kind of database under test: a real server, or a real folder of files. */
export interface EngineUnderTest {
  engine: Engine;
  /** A new, empty database. */
  createEmpty(): Promise<Access>;
  /** A name for a database that does not exist yet. */
  newName(): string;
  /** Name of a database, as createDatabase and planSwap take it. */
  nameOf(access: Access): string;
  accessTo(on: Access, name: string): Access;
  /** Runs statements in standard SQL. */
  run(access: Access, ...statements: string[]): Promise<void>;
  /** Runs what settleSwap says, as a person would: SQL on the server, or in a shell. */
  runCommands(on: Access, commands: string): Promise<void>;
  /** The single value of a query, as text. */
  read(access: Access, query: string): Promise<string>;
  /** Ways not to reach a database, and the code of the error. */
  unreachable: { what: string; access(good: Access): Access; code: ErrorCode; says: RegExp }[];
  /** A URL and a connection that parse, and ones that don't. */
  goodUrl: string;
  badUrl: string;
  badConnection: Record<string, unknown>;
  /** What work under that name left behind: sessions, processes. */
  leftovers(access: Access, applicationName: string): Promise<string[]>;
  stop(): Promise<void>;
}

const SAMPLE = [
  "CREATE TABLE items (id integer PRIMARY KEY, name varchar(200) NOT NULL, price numeric(10, 2))",
  "CREATE TABLE empty_table (id integer PRIMARY KEY)",
  "CREATE VIEW cheap AS SELECT id, name FROM items WHERE price < 10",
  "CREATE INDEX items_name ON items (name)",
];
const ROWS = 4000;

function insertRows(from: number, rows: number): string {
  const values = Array.from(
    { length: rows },
    (_one, i) => `(${from + i}, 'item ${from + i} ${"x".repeat(150)}', ${(i % 100) + 0.25})`,
  );
  return `INSERT INTO items VALUES ${values.join(", ")}`;
}

async function failure(run: Promise<unknown>): Promise<HoldfastError> {
  const error = await run.then(
    () => new Error("it did not fail"),
    (caught: unknown) => caught,
  );
  if (error instanceof HoldfastError) return error;
  throw error;
}

/** The suite that every engine passes; `setup` is called once. */
export function describeEngineContract(name: string, setup: () => Promise<EngineUnderTest>): void {
  describe(`engine contract: ${name}`, () => {
    let under: EngineUnderTest;
    let engine: Engine;
    let work: TestWork;
    let restoring: TestWork;
    beforeAll(async () => {
      under = await setup();
      engine = under.engine;
    }, 60_000);
    afterAll(async () => {
      await under.stop();
    });
    beforeEach(async () => {
      [work, restoring] = [await startWork(), await startWork()];
    });
    afterEach(async () => {
      await endWork(work);
      await endWork(restoring);
    });

    const sample = async (): Promise<Access> => {
      const access = await under.createEmpty();
      await under.run(access, ...SAMPLE, insertRows(0, ROWS));
      return access;
    };
    const roundTrip = async (access: Access) => {
      const stored = await dumpToFiles(engine, access, work);
      const restored = await restoreBeside(engine, access, under.newName(), stored, restoring);
      return {
        stored,
        ...restored,
        comparison: compareFingerprints(stored.fingerprint, restored.fingerprint),
      };
    };

    it("parses URLs and connections, and names the wrong field", async () => {
      expect(engine.parseConnection(engine.parseUrl(under.goodUrl).connection)).toBeTypeOf("object");
      const url = await failure((async () => engine.parseUrl(under.badUrl))());
      expect(url).toMatchObject({ code: "invalid", fields: { url: expect.any(String) } });
      const wrong = await failure((async () => engine.parseConnection(under.badConnection))());
      expect(wrong.code).toBe("invalid");
      expect(Object.keys(wrong.fields ?? {})[0]).toMatch(/^connection\./);
    });

    it("probes who is there", async () => {
      const access = await sample();
      const info = await engine.probe(access, work.signal);
      expect(info.identity).not.toBe("");
      expect(info.version).toMatch(/^\d+/);
      expect(info.sizeBytes).toBeGreaterThan(0);
      expect((await engine.probe(access, work.signal)).identity).toBe(info.identity);
      expect(await engine.identify(access, work.signal)).toBe(info.identity);
    });

    it("finds nothing wrong with a good database and changes nothing in it", async () => {
      const access = await sample();
      const findings = await engine.preflight(access, work.signal);
      expect(findings.filter((finding) => finding.state === "problem")).toEqual([]);
      expect(new Set(findings.map((finding) => finding.id)).size).toBe(findings.length);
      expect(await under.read(access, "SELECT count(*) FROM items")).toBe(String(ROWS));
    });

    it("says why a database can't be reached", async () => {
      const good = await under.createEmpty();
      for (const { access, code, says } of under.unreachable) {
        const error = await failure(engine.probe(access(good), work.signal));
        expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
        expect(error.remedy).toBeTruthy();
        expect((await engine.preflight(access(good), work.signal))[0]?.state).toBe("problem");
      }
    });

    it("dumps, reads through, restores and finds the copy equal", async () => {
      const access = await sample();
      const { stored, fingerprint, comparison, access: copy, result } = await roundTrip(access);
      await engine.readThrough(await stored.open("dump"), work, []);
      expect(comparison).toMatchObject({ equal: true, byCount: false });
      expect(comparison.counts.equal).toBe(2);
      expect(fingerprint.tables.find((table) => table.name.endsWith("items"))).toMatchObject({
        rows: ROWS,
        compared: "content",
      });
      expect(result.skipped).toEqual([]);
      const checks = await engine.checkRestored(copy, restoring);
      expect(checks.length).toBeGreaterThan(0);
      expect(checks.filter((check) => check.state === "failed")).toEqual([]);
    });

    it("keeps dump and fingerprint to one moment while others write", async () => {
      const access = await sample();
      let next = ROWS;
      let writing = true;
      const write = async () => {
        while (writing) {
          await under.run(access, insertRows(next, 10), `UPDATE items SET price = 1 WHERE id < ${next % 50}`);
          next += 10;
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      const writer = write();
      try {
        await vi.waitFor(() => expect(next).toBeGreaterThan(ROWS + 20), 10_000);
        const { comparison } = await roundTrip(access);
        expect(comparison.equal).toBe(true);
      } finally {
        writing = false;
        await writer;
      }
    });

    it.each([
      ["a changed value", "UPDATE items SET price = price + 1 WHERE id = 7", /same rows, other content/],
      ["a deleted row", "DELETE FROM items WHERE id = 7", /1 row missing/],
      ["an added row", "INSERT INTO empty_table VALUES (1)", /1 row more/],
      [
        "two swapped values",
        "UPDATE items SET name = CASE id WHEN 1 THEN (SELECT name FROM items WHERE id = 2) ELSE (SELECT name FROM items WHERE id = 1) END WHERE id IN (1, 2)",
        /other content/,
      ],
      ["a missing table", "DROP TABLE empty_table", /missing after the restore/],
      ["a new table", "CREATE TABLE surplus (id integer)", /not in the dump/],
      ["a new column", "ALTER TABLE empty_table ADD COLUMN extra integer", /empty_table/],
      ["a missing index", "DROP INDEX items_name", /items_name/],
      ["a changed view", "DROP VIEW cheap", /cheap/],
    ])("detects %s", async (_what, statement, says) => {
      const access = await sample();
      const { stored, access: copy } = await roundTrip(access);
      await under.run(copy, statement);
      const after = await engine.fingerprint(copy, stored.fingerprint, restoring);
      const comparison = compareFingerprints(stored.fingerprint, after);
      expect(comparison.equal).toBe(false);
      const said = [
        ...comparison.tables
          .filter((table) => table.equal === false)
          .map((table) => `${table.name}: ${table.note}`),
        ...comparison.checks.filter((check) => check.state === "failed").map((check) => check.detail),
      ];
      expect(said.join("\n")).toMatch(says);
    });

    it("compares by count where content was not asked for", async () => {
      const access = await sample();
      const stored = await dumpToFiles(engine, access, work, { digestBudgetMs: 0 });
      expect(stored.fingerprint.tables.map((table) => table.compared)).toEqual(["count", "count"]);
      const { fingerprint } = await restoreBeside(engine, access, under.newName(), stored, restoring);
      expect(compareFingerprints(stored.fingerprint, fingerprint)).toMatchObject({
        equal: true,
        byCount: true,
      });
    });

    it("leaves nothing behind when it is cancelled in the middle of a dump", async () => {
      const access = await sample();
      const session = await engine.beginDump(access, { lockWaitMs: 5000, digestBudgetMs: 60_000 }, work);
      const [artefact] = session.artefacts;
      if (!artefact) throw new Error("no artefact");
      const { stream, done } = artefact.open();
      const fingerprint = session.fingerprint().catch(() => undefined);
      const firstBytes = new Promise((resolve) => stream.once("data", resolve));
      const failed = new Promise((resolve) => stream.once("error", resolve));
      stream.once("data", () => stream.pause());
      await firstBytes;
      work.abort();
      stream.destroy(work.signal.reason as Error);
      await failed;
      await expect(done).rejects.toThrow();
      await fingerprint;
      await session.close();
      await vi.waitFor(async () => expect(await under.leftovers(access, work.applicationName)).toEqual([]), {
        timeout: 10_000,
      });
    });

    it.each([
      ["half of it", (bytes: number) => Math.floor(bytes / 2)],
      ["its last byte", (bytes: number) => bytes - 1],
      ["all but its first bytes", () => 10],
      ["all of it", () => 0],
    ])("rejects a dump that lost %s", async (_what, size) => {
      const access = await sample();
      const stored = await dumpToFiles(engine, access, work);
      const file = stored.fileOf("dump");
      await truncate(file, size((await stat(file)).size));
      const read = await failure(engine.readThrough(createReadStream(file), work, []));
      expect(read.code).toBe("invalid");
      const restored = await failure(restoreBeside(engine, access, under.newName(), stored, restoring));
      expect(restored.code).toBe("invalid");
    });

    it("round-trips an empty database", async () => {
      const { comparison, stored } = await roundTrip(await under.createEmpty());
      expect(stored.fingerprint.tables).toEqual([]);
      expect(comparison.equal).toBe(true);
    });

    it("refuses to restore over data", async () => {
      const access = await sample();
      const stored = await dumpToFiles(engine, access, work);
      const options = { jobs: 1, spoolDir: null, owners: false };
      expect((await failure(engine.restore(access, stored.open, options, restoring))).code).toBe("conflict");
      expect(await under.read(access, "SELECT count(*) FROM items")).toBe(String(ROWS));
    });

    it("does not create a database twice, and drops it", async () => {
      const on = await under.createEmpty();
      const dbName = under.newName();
      const like = { encoding: null, collation: null };
      await engine.createDatabase(on, dbName, like, work);
      expect((await failure(engine.createDatabase(on, dbName, like, work))).code).toBe("conflict");
      await engine.dropDatabase(on, dbName, work);
      await engine.dropDatabase(on, dbName, work);
      await engine.createDatabase(on, dbName, like, work);
    });

    it("gives a finished database its name, and never one that is taken", async () => {
      const access = await sample();
      const like = { encoding: null, collation: null };
      const [before, after] = [under.newName(), under.newName()];
      const made = await engine.createDatabase(access, before, like, work);
      await under.run(made, "CREATE TABLE mark (value varchar(10))", "INSERT INTO mark VALUES ('new')");
      const taken = under.nameOf(access);
      expect((await failure(engine.assertFree(access, taken, work))).code).toBe("conflict");
      expect((await failure(engine.renameDatabase(access, before, taken, work))).code).toBe("conflict");
      expect(await under.read(access, "SELECT count(*) FROM items")).toBe(String(ROWS));
      await engine.assertFree(access, after, work);
      const named = await engine.renameDatabase(access, before, after, work);
      expect(await under.read(named, "SELECT value FROM mark")).toBe("new");
      await engine.assertFree(access, before, work);
    });

    it("puts one database in the place of another and keeps the old one", async () => {
      const access = await sample();
      const fresh = await engine.createDatabase(
        access,
        under.newName(),
        { encoding: null, collation: null },
        work,
      );
      await under.run(fresh, "CREATE TABLE mark (value varchar(10))", "INSERT INTO mark VALUES ('new')");
      const dbName = under.nameOf(access);
      const swap = await engine.planSwap(access, under.nameOf(fresh), dbName, true, work);
      expect(JSON.parse(JSON.stringify(swap))).toEqual(swap);
      expect(await engine.settleSwap(access, swap, work)).toEqual({ done: false });
      expect(await under.read(access, "SELECT count(*) FROM items")).toBe(String(ROWS));
      expect(await under.read(fresh, "SELECT value FROM mark")).toBe("new");
      await engine.swapDatabase(access, swap, true, work);
      expect(await under.read(access, "SELECT value FROM mark")).toBe("new");
      const old = under.accessTo(access, swap.oldName);
      expect(await under.read(old, "SELECT count(*) FROM items")).toBe(String(ROWS));
      const again = engine.planSwap(access, under.newName(), dbName, false, work);
      await expect(again).rejects.toThrow();
      await expect(engine.swapDatabase(access, swap, false, work)).rejects.toThrow();
      expect(await under.read(access, "SELECT value FROM mark")).toBe("new");
    });

    it("says how far a swap came, with commands that go back or drop what was replaced", async () => {
      const swapped = async () => {
        const access = await sample();
        const like = { encoding: null, collation: null };
        const fresh = await engine.createDatabase(access, under.newName(), like, work);
        await under.run(fresh, "CREATE TABLE mark (value varchar(10))", "INSERT INTO mark VALUES ('new')");
        const swap = await engine.planSwap(access, under.nameOf(fresh), under.nameOf(access), true, work);
        await engine.swapDatabase(access, swap, true, work);
        const settled = await engine.settleSwap(access, swap, work);
        expect(await engine.settleSwap(access, swap, work)).toEqual(settled);
        if (!settled.done || !settled.kept) throw new Error("the swap was not done, or kept nothing");
        expect(settled.kept.name).toBe(swap.oldName);
        return { access, swap, kept: settled.kept };
      };
      const back = await swapped();
      await under.runCommands(back.access, back.kept.goBack);
      expect(await under.read(back.access, "SELECT count(*) FROM items")).toBe(String(ROWS));
      expect(await engine.settleSwap(back.access, back.swap, work)).toEqual({ done: false });
      expect(await under.read(back.access, "SELECT count(*) FROM items")).toBe(String(ROWS));
      const dropped = await swapped();
      await under.runCommands(dropped.access, dropped.kept.drop);
      expect(await under.read(dropped.access, "SELECT value FROM mark")).toBe("new");
      const settled = await engine.settleSwap(dropped.access, dropped.swap, work);
      expect(settled).toEqual({ done: true, kept: null });
    });

    it("prints the commands that restore it with stock tools", async () => {
      const info = await engine.probe(await under.createEmpty(), work.signal);
      const files = {
        dump: "dump.x.zst.age",
        globals: engine.capabilities.globals ? "globals.sql.zst.age" : null,
      };
      const encrypted = engine.restoreCommands({ ...files, encrypted: true }, info).join("\n");
      expect(encrypted).toMatch(/age -d/);
      expect(encrypted).toMatch(/dump\.x\.zst\.age/);
      expect(engine.restoreCommands({ ...files, encrypted: false }, info).join("\n")).not.toMatch(/age -d/);
    });
  });
}
