import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDb } from "../lib/db/client.ts";
import type { TestPostgres } from "../lib/testing/postgres.ts";
import { startTestPostgres } from "../lib/testing/postgres.ts";
import { prepareMetadata } from "../lib/testing/prepare-metadata.ts";
import type { Place } from "./testing/harness.ts";
import {
  begin,
  endWorker,
  eventually,
  historyOf,
  prepareTraces,
  spawnWorker,
  until,
} from "./testing/harness.ts";
import { once, tracesOf } from "./testing/test-handlers.ts";

let server: TestPostgres;
let place: Place;
let worker: ChildProcess;
beforeAll(async () => {
  server = await startTestPostgres();
  const { url, ownerUrl } = await prepareMetadata(server, "meta");
  place = { url, ownerUrl, db: openDb(url, { max: 5, applicationName: "test" }) };
  await prepareTraces(place);
  worker = await spawnWorker(place, "patient", { concurrency: 3, leaseMs: 30_000 });
});
afterAll(async () => {
  await endWorker(worker, "SIGKILL");
  await place.db.$disconnect();
  await server.stop();
});

/** Ends every session at once and refuses new ones for a moment, as a long restart does. */
async function refuseForAWhile(): Promise<void> {
  const admin = await server.client();
  await admin.query("ALTER DATABASE meta ALLOW_CONNECTIONS false");
  await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'meta'");
  await admin.query("SELECT pg_sleep(1.5)");
  await admin.query("ALTER DATABASE meta ALLOW_CONNECTIONS true");
  await admin.end();
}

test("the metadata database goes away and comes back under load: nothing is lost, nothing runs twice", async () => {
  const long = await begin(place, once, { ms: 6_000, lines: ["before"] });
  const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
  const ids: string[] = [];
  for (let n = 0; n < 25; n += 1) ids.push(await begin(place, once, { ms: 150, lines }));
  await until(place, long, "running");
  await server.restart();
  await refuseForAWhile();
  for (const id of [...ids, long]) {
    await eventually(async () => until(place, id, "succeeded"));
    expect(await historyOf(place, id)).toEqual(["0 queued", "1 running", "1 succeeded"]);
    const what = (await tracesOf(place.db, id)).map((trace) => trace.what);
    expect(what).toEqual(["begin", "end", "commit"]);
  }
  for (const id of ids) {
    const stored = await place.db.operationLog.findMany({
      where: { operationId: id },
      orderBy: { id: "asc" },
    });
    expect(stored.map(({ line }) => line)).toEqual(lines);
  }
});
