import { afterAll, beforeAll, expect, it } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { Db } from "../../lib/db/client.ts";
import { openDb } from "../../lib/db/client.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { freePort, startTestPostgres } from "../../lib/testing/postgres.ts";
import { prepareMetadata } from "../../lib/testing/prepare-metadata.ts";
import { startWeb } from "../web-process.ts";
import { promiseOf } from "./expectations.ts";
import type { Gate } from "./gates.ts";
import { DUMPING, holdDump, makeShop, releaseAll } from "./gates.ts";
import type { Install } from "./install.ts";
import { createInstall } from "./install.ts";
import { nothingLeft } from "./leftovers.ts";

const SHOPS = ["shop-1", "shop-2", "shop-3", "shop-4"];

let own: TestPostgres;
let server: TestPostgres;
let metadata: { url: string; db: Db };
let install: Install;

beforeAll(async () => {
  [own, server] = await Promise.all([startTestPostgres(), startTestPostgres()]);
  const { url } = await prepareMetadata(own, "meta");
  metadata = { url, db: openDb(url, { max: 5, applicationName: "test" }) };
  install = await createInstall(metadata);
  for (const name of SHOPS) {
    await makeShop(server, name);
    await install.register(name, server.url(name));
  }
  await install.worker("one");
});
afterAll(async () => {
  await releaseAll();
  await install.cleanUp();
  await metadata.db.$disconnect();
  await Promise.all([own.stop(), server.stop()]);
});

/** Backups that are all held half way. */
async function holdBackups(
  names: string[],
): Promise<{ backups: { id: string; operationId: string }[]; gates: Gate[] }> {
  const gates = await Promise.all(names.map((name) => holdDump(server, name)));
  const backups = await Promise.all(names.map((database) => runBackup(install.ctx, { database })));
  for (const gate of gates) await gate.reached(DUMPING);
  return { backups, gates };
}

async function expectProven(id: string, operationId: string): Promise<void> {
  const ended = await install.until(operationId, "succeeded");
  expect(ended).toMatchObject({ attempt: 1 });
  expect(ended.transitions.map(({ state }) => state)).toEqual(["queued", "running", "succeeded"]);
  const { verification } = await getBackup(install.ctx, id);
  if (verification) await install.until(verification.operationId, "succeeded");
  expect(await getBackup(install.ctx, id)).toMatchObject({ state: "complete", proof: { verdict: "proven" } });
}

it("the metadata database is restarted under dumps and proofs: each ends once, and proven", async () => {
  const { backups, gates } = await holdBackups(SHOPS);
  await own.restart();
  for (const gate of gates) await gate.release();
  // Again, now that their ends are written and their proofs begin.
  await install.until(backups[0]?.operationId ?? "", "succeeded");
  await own.restart();
  for (const { id, operationId } of backups) await expectProven(id, operationId);
  for (const name of SHOPS) {
    expect(await promiseOf(install, name)).toMatchObject({ text: expect.stringMatching(/^proven/) });
  }
  await nothingLeft(install, server, SHOPS);
});

it("the metadata database is restarted while a restore waits for its safety backup: it goes on", async () => {
  const good = await install.proven("shop-1");
  const gate = await holdDump(server, "shop-1");
  const { id } = await restoreBackup(install.ctx, good.id, {
    target: { kind: "over", database: "shop-1", confirm: "shop-1", endSessions: true },
  });
  await gate.reached(DUMPING);
  await own.restart();
  await gate.release();
  expect(await install.until(id, "succeeded")).toMatchObject({ attempt: 1, result: { equal: true } });
  await nothingLeft(install, server, SHOPS);
});

it("the web process is killed: work goes on, and the next one knows all of it", async () => {
  const port = await freePort();
  const web = await startWeb(install.env, port, "/api/readyz");
  const { backups, gates } = await holdBackups(SHOPS.slice(0, 1));
  await web.kill();
  for (const gate of gates) await gate.release();
  for (const { id, operationId } of backups) await expectProven(id, operationId);
  const next = await startWeb(install.env, port, "/api/readyz");
  await next.kill();
  await nothingLeft(install, server, SHOPS);
}, 600_000);
