import { afterAll, beforeAll, expect, it } from "vitest";
import { compareFingerprints } from "../../proof/compare.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import { dumpToFiles, endWork, restoreBeside, startWork } from "../testing/round-trip.ts";
import { postgresEngine } from "./postgres-engine.ts";

const TABLES = 5000;

let server: TestPostgres;
beforeAll(async () => {
  // Room for the locks as it is by default.
  server = await startTestPostgres({ settings: { max_connections: "100" } });
  await server.createDatabase("many");
  const client = await server.client("many");
  for (let from = 0; from < TABLES; from += 500) {
    await client.query(`DO $$ BEGIN FOR i IN ${from}..${from + 499} LOOP
      EXECUTE format('CREATE TABLE t%s (id serial PRIMARY KEY, body text, at timestamptz DEFAULT now())', i);
      EXECUTE format('INSERT INTO t%s (body) SELECT md5(%s || n::text) FROM generate_series(1, %s) n', i, i, i % 7);
    END LOOP; END $$`);
  }
  await client.end();
}, 120_000);
afterAll(async () => {
  await server.stop();
});

it("round-trips 5,000 tables within the lock table of a default server", async () => {
  const [work, restoring] = [await startWork(), await startWork()];
  try {
    const stored = await dumpToFiles(postgresEngine, server.access("many"), work);
    expect(stored.fingerprint.tables).toHaveLength(TABLES);
    expect(stored.fingerprint.sequences).toHaveLength(TABLES);
    const { fingerprint, access } = await restoreBeside(
      postgresEngine,
      server.access(),
      "many_restored",
      stored,
      restoring,
    );
    const comparison = compareFingerprints(stored.fingerprint, fingerprint);
    expect(comparison).toMatchObject({ equal: true, byCount: false, counts: { equal: TABLES } });
    const checks = await postgresEngine.checkRestored(access, restoring);
    expect(checks.filter((check) => check.state !== "passed")).toEqual([]);
  } finally {
    await endWork(work);
    await endWork(restoring);
  }
}, 300_000);
