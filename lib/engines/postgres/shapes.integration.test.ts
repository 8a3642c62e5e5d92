import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compareFingerprints } from "../../proof/compare.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { TestWork } from "../testing/round-trip.ts";
import { dumpToFiles, endWork, restoreBeside, startWork } from "../testing/round-trip.ts";
import { connect } from "./connect.ts";
import { postgresEngine } from "./postgres-engine.ts";
import { loadShapes } from "./testing/load-shapes.ts";

const ODD_NAME = `sh'op "live" = \\ %41 é`;

/** Servers that are dumped and restored onto, and jobs: other majors and more jobs in the long matrix (test:full). */
const FULL = process.env.HOLDFAST_TEST_FULL === "1";
const PAIRS = FULL
  ? [13, 14, 15].flatMap((source) => [15, 16, 17, 18].map((target) => ({ source, target })))
  : [{ source: 15, target: 15 }];
const JOBS: [how: string, jobs: number][] = [
  ["streamed", 1],
  ["from a spool file with 2 jobs", 2],
];
if (FULL) JOBS.push(["from a spool file with 4 jobs", 4]);

describe.each(PAIRS)("the shapes of PostgreSQL $source, restored onto $target", (pair) => {
  const { target } = pair;
  let source: TestPostgres;
  /** Another server, which has none of the roles. */
  let other: TestPostgres;
  let work: TestWork;
  let restoring: TestWork;
  beforeAll(async () => {
    [source, other] = await Promise.all([
      startTestPostgres({ major: pair.source }),
      startTestPostgres({ major: target }),
    ]);
    await source.createDatabase(ODD_NAME);
    const client = await connect(source.access(ODD_NAME));
    await loadShapes(client);
    await client.end();
  }, 120_000);
  afterAll(async () => {
    await Promise.all([source.stop(), other.stop()]);
  });
  beforeEach(async () => {
    [work, restoring] = [await startWork(), await startWork()];
  });
  afterEach(async () => {
    await endWork(work);
    await endWork(restoring);
  });

  it.each(JOBS)("survive the round trip onto another server, %s", async (how, jobs) => {
    const stored = await dumpToFiles(postgresEngine, source.access(ODD_NAME), work);
    await postgresEngine.readThrough(await stored.open("dump"), work, []);
    const spoolDir = jobs > 1 ? restoring.tempDir : null;
    const name = `${ODD_NAME} ${how}`;
    const options = { jobs, spoolDir };
    const { result, fingerprint, access } = await restoreBeside(
      postgresEngine,
      other.access(),
      name,
      stored,
      restoring,
      options,
    );
    const comparison = compareFingerprints(stored.fingerprint, fingerprint);
    expect(result.skipped).toEqual([]);
    expect(comparison.tables.filter((table) => table.equal === false)).toEqual([]);
    expect(comparison.checks.filter((check) => check.state === "failed")).toEqual([]);
    expect(comparison.equal).toBe(true);
    const states = new Map(comparison.checks.map((check) => [check.name, check.state]));
    for (const check of ["schema", "owners and grants", "sequences", "extensions", "large objects"]) {
      // Schema texts of two majors differ by nature: they are not compared, with owners and grants.
      const own = check === "schema" || check === "owners and grants";
      expect([check, states.get(check)]).toEqual([
        check,
        own && target !== pair.source ? "not compared" : "passed",
      ]);
    }
    const uncompared = comparison.tables.filter((table) => table.equal === null).map((table) => table.name);
    expect(uncompared).toEqual(["public.summary", "public.unfilled"]);
    expect(comparison.tables.length).toBe(24);
    const checks = await postgresEngine.checkRestored(access, restoring);
    expect(checks.map(({ name: check, state }) => [check, state])).toEqual([
      ["indexes", "passed"],
      ["constraints", "passed"],
      ["collations", "passed"],
      ["index structure", "passed"],
    ]);
  });

  it("brings back the settings, comment, owner and grants of the database itself", async () => {
    const stored = await dumpToFiles(postgresEngine, source.access(ODD_NAME), work);
    await restoreBeside(postgresEngine, other.access(), "properties", stored, restoring);
    const read = async (server: TestPostgres, database: string) => {
      const client = await connect(server.access(database));
      try {
        const { rows } = await client.query(`
          SELECT shobj_description(d.oid, 'pg_database') AS comment, d.datconnlimit, d.datacl::text, d.datdba::regrole::text,
            (SELECT json_agg(json_build_array(s.setrole::regrole::text, s.setconfig) ORDER BY s.setrole)
             FROM pg_db_role_setting s WHERE s.setdatabase = d.oid) AS settings
          FROM pg_database d WHERE datname = current_database()`);
        return rows[0];
      } finally {
        await client.end();
      }
    };
    const before = await read(source, ODD_NAME);
    expect(before).toMatchObject({ comment: "the database; itself", datconnlimit: 90 });
    expect(await read(other, "properties")).toEqual(before);
  });

  // Across majors definitions are not compared, so most of these details can't show.
  if (target === pair.source)
    it("notices what only shows in details", async () => {
      const stored = await dumpToFiles(postgresEngine, source.access(ODD_NAME), work);
      const { access } = await restoreBeside(postgresEngine, other.access(), "details", stored, restoring);
      const client = await other.client("details");
      const differences = async () => {
        const { tables, checks } = compareFingerprints(
          stored.fingerprint,
          await postgresEngine.fingerprint(access, stored.fingerprint, restoring),
        );
        const different = tables.filter((table) => table.equal === false).map((table) => table.name);
        return [
          ...different,
          ...checks.filter((check) => check.state === "failed").map((check) => check.name),
        ];
      };
      const steps: [string, string, string][] = [
        ["UPDATE types SET n2 = 1.1 WHERE id = 1000", "UPDATE types SET n2 = 1.10 WHERE id = 1000", ""],
        [
          "UPDATE types SET n = '1.0' WHERE i2 < 0",
          "UPDATE types SET n = 'NaN' WHERE i2 < 0",
          "public.types",
        ],
        [
          "UPDATE types SET d = 0 WHERE d = 5e-324",
          "UPDATE types SET d = 5e-324 WHERE d = 0",
          "public.types",
        ],
        [
          "UPDATE types SET ct = 'case' WHERE i2 < 0",
          "UPDATE types SET ct = 'CaSe' WHERE i2 < 0",
          "public.types",
        ],
        [
          "UPDATE types SET m = 'sad' WHERE i2 < 0",
          "UPDATE types SET m = 'it''s ok' WHERE i2 < 0",
          "public.types",
        ],
        [
          "UPDATE types SET j = '{}' WHERE i2 < 0",
          `UPDATE types SET j = '{"b" : 1,  "a": 1, "a": 2}' WHERE i2 < 0`,
          "public.types",
        ],
      ];
      try {
        expect(await differences()).toEqual([]);
        for (const [change, back, expected] of steps) {
          await client.query(change);
          expect([change, await differences()]).toEqual([change, expected === "" ? [] : [expected]]);
          await client.query(back);
        }
        expect(await differences()).toEqual([]);
        await client.query(
          "INSERT INTO measured_2024_1 SELECT at + interval '1 s', sensor, value FROM measured_2024_1 LIMIT 1",
        );
        await client.query("UPDATE ONLY parent SET note = 'q'");
        await client.query("SELECT lo_put(900003, 5, '\\x01')");
        await client.query("SELECT setval('down', 100)");
        await client.query("COMMENT ON COLUMN types.j IS 'other'");
        await client.query("GRANT SELECT ON types TO shapes_owner");
        expect(await differences()).toEqual([
          "public.measured_2024_1",
          "public.parent",
          "schema",
          "owners and grants",
          "sequences",
          "large objects",
        ]);
      } finally {
        await client.end();
      }
    });
});
