import { createServer } from "node:net";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunningWorker } from "../../worker/start-worker.ts";
import { startWorker } from "../../worker/start-worker.ts";
import type { Ctx, Role } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import { finalStates } from "../operations/schema.ts";
import type { TestKeyring } from "../secrets/testing/keyring.ts";
import { createTestKeyring } from "../secrets/testing/keyring.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { createDatabase } from "./create-database.ts";
import { getDatabase } from "./get-database.ts";
import { preflightHandler } from "./operations/preflight.handler.ts";
import { testConnectionHandler } from "./operations/test-connection.handler.ts";
import { requestPreflight } from "./request-preflight.ts";
import { testConnection } from "./test-connection.ts";
import { makeEnvironment } from "./testing/make-database.ts";

let meta: TestDb;
let keys: TestKeyring;
let ctx: Ctx;
let worker: RunningWorker;
/** A database on the same server that is not Holdfast's. */
let target: URL;

beforeAll(async () => {
  meta = await createTestDb();
  keys = await createTestKeyring(meta.db);
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  await makeEnvironment(meta.db, "staging");
  process.env.DATABASE_URL = meta.url;
  target = new URL(meta.ownerUrl);
  target.pathname = `${target.pathname}_target`;
  const owner = new Client({ connectionString: meta.ownerUrl });
  await owner.connect();
  await owner.query(`CREATE DATABASE ${target.pathname.slice(1)}`);
  await owner.end();
  worker = await startWorker({
    env: {
      HOLDFAST_POOL: "default",
      HOLDFAST_WORKER_NAME: "w",
      HOLDFAST_CONCURRENCY: 2,
      HOLDFAST_SERVER_CONCURRENCY: 2,
      HOLDFAST_STALL_SECONDS: 900,
    },
    databaseUrl: meta.url,
    db: meta.db,
    log: createLogger("test", "silent"),
    handlers: [preflightHandler, testConnectionHandler],
    abilities: { tools: {}, sandboxes: [], isolation: "none", isolationDetail: "test" },
    version: "test",
  });
});
afterAll(async () => {
  await worker.stop(0);
  const owner = new Client({ connectionString: meta.ownerUrl });
  await owner.connect();
  await owner.query(`DROP DATABASE ${target.pathname.slice(1)} WITH (FORCE)`);
  await owner.end();
  delete process.env.DATABASE_URL;
  await meta.drop();
  await keys.remove();
});

const postgres = { engine: "postgres" as const };

async function allEnded() {
  await expect
    .poll(
      async () =>
        await meta.db.operation.count({ where: { state: { notIn: [...finalStates] as "failed"[] } } }),
      {
        timeout: 30_000,
      },
    )
    .toBe(0);
}

test("unsaved credentials are tried by a worker and wiped from the ledger", async () => {
  const result = await testConnection(ctx, { ...postgres, url: target.href });
  expect(result).toMatchObject({ ok: true, remedy: null, serverVersion: expect.stringMatching(/^15\./) });
  expect(result.sizeBytes).toBeGreaterThan(0);
  const operation = await meta.db.operation.findFirstOrThrow({ where: { kind: "database.test" } });
  expect(operation).toMatchObject({ state: "succeeded", payload: { passwordSealed: null } });
});

test("a wrong password says so, with what to do, and does not appear anywhere", async () => {
  const wrong = new URL(target.href);
  wrong.password = "wrong-password-42";
  const result = await testConnection(ctx, { ...postgres, url: wrong.href });
  expect(result.ok).toBe(false);
  expect(result.remedy).not.toBeNull();
  const stored = JSON.stringify([
    result,
    await meta.db.operation.findMany(),
    (await meta.db.operationLog.findMany()).map((line) => line.line),
    await meta.db.auditEvent.findMany(),
  ]);
  expect(stored).not.toContain("wrong-password-42");
});

test("Holdfast's own database is recognised by any address", async () => {
  const own = new URL(meta.ownerUrl);
  own.hostname = "localhost";
  const result = await testConnection(ctx, { ...postgres, url: own.href });
  expect(result).toMatchObject({ ok: false, findings: [{ id: "own-database", state: "problem" }] });
});

test("without a worker in the pool it says so and leaves nothing in the ledger", async () => {
  const before = await meta.db.operation.count();
  await expect(testConnection(ctx, { ...postgres, url: target.href, pool: "far" })).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("No worker is running"),
  });
  expect(await meta.db.operation.count()).toBe(before);
});

test("an answer that takes too long is cancelled, and the password is wiped", async () => {
  const before = new Set((await meta.db.operation.findMany({ select: { id: true } })).map((row) => row.id));
  // Takes the connection and never speaks.
  const silent = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const address = silent.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await expect(
    testConnection(ctx, { ...postgres, url: `postgresql://u:pw@127.0.0.1:${port}/d` }, { waitMs: 500 }),
  ).rejects.toMatchObject({ code: "timeout" });
  await allEnded();
  const operation = await meta.db.operation.findFirstOrThrow({
    where: { kind: "database.test", id: { notIn: [...before] } },
  });
  expect(operation).toMatchObject({ state: "cancelled", payload: { passwordSealed: null } });
  await new Promise((resolve) => silent.close(resolve));
});

test("a registered database is looked at, and what was found is kept", async () => {
  await createDatabase(ctx, { ...postgres, name: "target", environment: "staging", url: target.href });
  await allEnded();
  const found = await getDatabase(ctx, "target");
  expect(found).toMatchObject({ probeError: null, serverVersion: expect.stringMatching(/^15\./) });
  expect(found.serverIdentity).not.toBeNull();
  expect(found.preflight?.findings.length).toBeGreaterThan(2);
  expect(found.preflight?.findings.map((finding) => finding.id)).not.toContain("own-database");

  const elsewhere = new URL(target.href);
  elsewhere.hostname = "localhost";
  const twin = await testConnection(ctx, { ...postgres, url: elsewhere.href });
  expect(twin).toMatchObject({ ok: true, findings: [{ id: "registered-twice", state: "warning" }] });

  expect(await testConnection(ctx, { ...postgres, database: "target" })).toMatchObject({
    ok: true,
    findings: [],
  });
  const { connection } = found;
  await expect(
    testConnection(ctx, {
      ...postgres,
      database: "target",
      connection: { ...connection, host: "localhost" },
    }),
  ).rejects.toMatchObject({ fields: { password: expect.any(String) } });
});

test("a server that went away is a finding, an error on the database and a failed operation", async () => {
  const gone = new URL(target.href);
  gone.port = "1";
  await createDatabase(ctx, { ...postgres, name: "gone", environment: "staging", url: gone.href });
  await allEnded();
  const found = await getDatabase(ctx, "gone");
  expect(found.probeError).not.toBeNull();
  expect(found.preflight?.findings).toMatchObject([{ id: "reachable", state: "problem" }]);
  const { id } = await requestPreflight(ctx, "gone");
  await allEnded();
  const operation = await meta.db.operation.findUniqueOrThrow({ where: { id } });
  expect(operation).toMatchObject({ state: "failed", error: { remedy: expect.any(String) } });
});

test("viewers may not have anything tried", async () => {
  const viewer: Ctx = {
    ...ctx,
    actor: {
      kind: "token",
      id: newId(),
      name: "t",
      role: "viewer" as Role,
      scope: { environments: [], applications: [] },
    },
  };
  await expect(testConnection(viewer, { ...postgres, url: target.href })).rejects.toMatchObject({
    code: "forbidden",
  });
});
