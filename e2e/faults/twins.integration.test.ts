import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { Db } from "../../lib/db/client.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { DUMPING, holdDump, releaseAll } from "./gates.ts";
import type { Install } from "./install.ts";
import { installWithShops, WITHIN } from "./install.ts";
import { nothingLeft } from "./leftovers.ts";

let db: Db;
let server: TestPostgres;
let install: Install;
let cleanUp: () => Promise<void>;

beforeAll(async () => {
  ({ install, server, cleanUp } = await installWithShops({ shop: "default" }));
  ({ db } = install.ctx);
  // One database under two addresses, and no worker has seen either yet.
  await install.register("twin", server.url("shop").replace("127.0.0.1", "localhost"));
  await db.operation.deleteMany({ where: { kind: "database.preflight" } });
  await Promise.all([install.worker("left"), install.worker("right")]);
});
afterEach(releaseAll);
afterAll(() => cleanUp());

it("one database that is registered twice is dumped by one operation at a time, from the first on", async () => {
  const { ctx } = install;
  const known = await db.database.findMany({ select: { serverIdentity: true } });
  expect(known).toEqual([{ serverIdentity: null }, { serverIdentity: null }]);
  const gate = await holdDump(server, "shop");
  const [one, two] = await Promise.all(
    ["shop", "twin"].map((database) => runBackup(ctx, { database, verify: false })),
  );
  await gate.reached(DUMPING);
  const waiting = await vi.waitFor(async () => {
    const rows = await db.operation.findMany({
      where: { state: "queued", waitsFor: { startsWith: "database:" } },
    });
    expect(rows).toHaveLength(1);
    return rows[0];
  }, WITHIN);
  expect(waiting?.waitsFor).toMatch(/^database:\d+\/shop$/);
  expect(waiting?.reason).toBe("waits for another operation, which works on the same database");
  await gate.release();
  for (const backup of [one, two]) await install.until(backup?.operationId ?? "", "succeeded");
  const [first, second] = await db.operation.findMany({
    where: { kind: "backup.run" },
    orderBy: { startedAt: "asc" },
  });
  expect(second?.id).toBe(waiting?.id);
  expect(second?.startedAt?.getTime()).toBeGreaterThanOrEqual(
    first?.finishedAt?.getTime() ?? Number.POSITIVE_INFINITY,
  );
  await nothingLeft(install, server, ["shop"]);
});
