import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { listAudit } from "../../lib/audit/list-audit.ts";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { cancelOperation } from "../../lib/operations/cancel-operation.ts";
import { readLog } from "../../lib/operations/read-log.ts";
import type { TestDb } from "../../lib/testing/metadata.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { startTestPostgres } from "../../lib/testing/postgres.ts";
import { descendantsOf, killAll } from "../../lib/transfer/process-tree.ts";
import { temporaryName } from "../../lib/transfer/restore-names.ts";
import type { Gate } from "./gates.ts";
import { holdDrop, holdRestore, makeShop, releaseAll } from "./gates.ts";
import type { Install } from "./install.ts";
import { createInstall, WITHIN } from "./install.ts";
import { nothingLeft } from "./leftovers.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** Databases that are restored over, each by a worker of its own, and each in another way that ends badly. */
const TARGETS = ["closing", "lost", "killed", "cancelled"];
const known = ["shop", ...TARGETS];

let meta: TestDb;
let server: TestPostgres;
let install: Install;
let admin: Client;
let dropping: Gate;
/** Operations by target. */
const ids = new Map<string, string>();

beforeAll(async () => {
  [meta, server] = await Promise.all([createTestDb(), startTestPostgres()]);
  install = await createInstall(meta);
  admin = await server.client();
  await makeShop(server, "shop");
  await install.register("shop", server.url("shop"));
  const first = await install.worker("first");
  const good = await install.proven("shop");
  await first.kill();
  const indexing = await holdRestore(server);
  const workers = new Map<string, WorkerProcess>();
  for (const target of TARGETS) {
    await makeTarget(target);
    workers.set(target, await install.worker(`first-${target}`, { pool: target }));
    const { id } = await restoreBackup(install.ctx, good.id, {
      target: { kind: "over", database: target, confirm: target, endSessions: true },
    });
    ids.set(target, id);
  }
  await untilWaiting("wait_event = 'PgSleep' AND query ~ '^CREATE INDEX'", TARGETS.length);
  // One can't be renamed, for somebody is in its new database; the others can't drop what they replaced.
  const inTheWay = await server.client(temporaryName(idOf("closing")));
  dropping = await holdDrop(server);
  await indexing.release();
  await vi.waitFor(async () => expect(await isOpen("closing")).toBe(false), WITHIN);
  await goDown(workers.get("closing"));
  await inTheWay.end();
  await untilWaiting("wait_event_type = 'Lock' AND query ~ '^DROP DATABASE'", TARGETS.length - 1);
  await goDown(workers.get("lost"));
  await killAll(await descendantsOf(workers.get("killed")?.pid ?? 0));
  await cancelOperation(install.ctx, idOf("cancelled"));
  for (const target of ["closing", "lost"]) await install.worker(`heir-${target}`, { pool: target });
}, 300_000);
afterAll(async () => {
  await releaseAll();
  await admin.end();
  await install.cleanUp();
  await Promise.all([server.stop(), meta.drop()]);
});

async function makeTarget(name: string): Promise<void> {
  await server.createDatabase(name);
  const client = await server.client(name);
  await client.query("CREATE TABLE was_here AS SELECT 7 AS id");
  await client.end();
  await install.register(name, server.url(name), name);
}

function idOf(target: string): string {
  const id = ids.get(target);
  if (id === undefined) throw new Error(`nothing was restored over ${target}`);
  return id;
}

async function untilWaiting(condition: string, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { rows } = await admin.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'holdfast%' AND ${condition}`,
      );
      expect(rows).toEqual([{ n: count }]);
    },
    { timeout: 150_000, interval: 50 },
  );
}

async function rowsOf(database: string, table: string): Promise<number> {
  const client = await server.client(database);
  const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  await client.end();
  return rows[0]?.n ?? -1;
}

async function isOpen(database: string): Promise<boolean | undefined> {
  const { rows } = await admin.query<{ open: boolean }>(
    "SELECT datallowconn AS open FROM pg_database WHERE datname = $1",
    [database],
  );
  return rows[0]?.open;
}

/** A worker dies with all that it started, as its machine would. */
async function goDown(worker: WorkerProcess | undefined): Promise<void> {
  if (!worker) throw new Error("there is no such worker");
  const started = await descendantsOf(worker.pid);
  await worker.kill();
  await killAll(started);
}

/** The reason says that the swap was done, what the old database is called and how to go back, and that works. */
async function expectExplained(target: string, how: RegExp): Promise<void> {
  const ended = await install.until(idOf(target), "interrupted", "failed");
  const said = new RegExp(
    `The swap was done: ${target} is the restored database now; the one before is kept as (${target}_before_\\d{14})\\. ` +
      `To drop it: (DROP DATABASE "\\1";) To go back instead, with nobody connected to either: (.*;)$`,
  );
  expect(ended.reason).toMatch(how);
  expect(ended.reason).toMatch(said);
  const [sentence = "", kept = "", drop = "", goBack = ""] = said.exec(ended.reason ?? "") ?? [];
  expect(ended.transitions.at(-1)?.reason).toBe(ended.reason);
  const { items: log } = await readLog(install.ctx, ended.id, { q: "The swap was done", tail: true });
  expect(log.map(({ line }) => line)).toEqual([sentence]);
  const { items: audit } = await listAudit(install.ctx, { action: "database.restored", object: target });
  expect(audit.map(({ after }) => after)).toEqual([
    expect.objectContaining({ operationId: ended.id, database: target, equal: true }),
  ]);
  expect(await rowsOf(target, "c_last")).toBe(40_000);
  expect([await isOpen(target), await isOpen(kept)]).toEqual([true, true]);
  expect(await rowsOf(kept, "was_here")).toBe(1);
  await admin.query(goBack);
  expect(await rowsOf(target, "was_here")).toBe(1);
  // Forward again, and then as the other sentence says.
  const aside = kept.replace("_before_", "_restored_");
  await admin.query(
    `ALTER DATABASE ${target} RENAME TO ${kept}; ALTER DATABASE ${aside} RENAME TO ${target}`,
  );
  await admin.query(drop);
}

describe("a restore over a database", () => {
  it("that is lost between closing it and its rename: another worker opens it again, as it was", async () => {
    const id = idOf("closing");
    await install.until(id, "interrupted");
    await vi.waitFor(async () => expect(await isOpen("closing")).toBe(true), WITHIN);
    expect(await rowsOf("closing", "was_here")).toBe(1);
    await vi.waitFor(
      async () =>
        expect((await install.until(id, "interrupted")).reason).toBe(
          "The worker first-closing was lost: it stopped renewing its claim. closing was left as it is.",
        ),
      WITHIN,
    );
  });

  it("that is lost, killed or cancelled after the swap keeps what it replaced, and says so", async () => {
    await install.until(idOf("lost"), "interrupted");
    for (const target of ["killed", "cancelled"]) await install.until(idOf(target), "failed");
    const left = { operationId: idOf("lost") };
    await vi.waitFor(
      async () => expect(await meta.db.operationCleanUp.count({ where: left })).toBe(0),
      WITHIN,
    );
    await dropping.release();
    await expectExplained(
      "lost",
      /^The worker first-lost was lost: it stopped renewing its claim\. The swap/,
    );
    await expectExplained("killed", /^The transfer process was ended by SIGKILL before it was done\./);
    await expectExplained("cancelled", /^It was cancelled\. The swap/);
  });

  it("leaves nothing else behind", async () => {
    await nothingLeft(install, server, known);
  });
});
