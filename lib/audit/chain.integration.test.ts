import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { appendLinks, chainHead, runChainer } from "./chain.ts";
import { checkChain } from "./check-chain.ts";
import { emitAudit } from "./emit.ts";
import { exportAudit } from "./export-audit.ts";
import { listAudit } from "./list-audit.ts";
import { listAuditActions } from "./list-audit-actions.ts";

const auditKey = randomBytes(32);
let meta: TestDb;
let owner: Client;
let ctx: Ctx;

beforeEach(async () => {
  meta = await createTestDb();
  owner = new Client({ connectionString: meta.ownerUrl });
  await owner.connect();
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
});
afterEach(async () => {
  await owner.end();
  await meta.drop();
});

async function emit(
  action: string,
  after: Record<string, unknown> = { n: 1.5, text: "é", nested: { b: [1, null] } },
) {
  await meta.db.$transaction((tx) =>
    emitAudit(tx, ctx, { action, object: { kind: "test", name: "x" }, after }),
  );
}

async function emitMany(count: number) {
  for (let i = 0; i < count; i += 1) await emit(`test.${i}`);
}

/** Links all events; transactions of other databases on the same server hold the chain up for a moment. */
async function chainAll() {
  await expect
    .poll(
      async () => {
        await appendLinks(meta.db, auditKey);
        return (await meta.db.auditEvent.count()) - (await meta.db.auditLink.count());
      },
      { timeout: 30_000, interval: 20 },
    )
    .toBe(0);
}

const verify = () => checkChain(meta.db, { auditKey });

/** What someone with the owner's password can do: switch the triggers off. */
async function tamper(...statements: string[]) {
  await owner.query("SET session_replication_role = replica");
  for (const sql of statements) await owner.query(sql);
  await owner.query("SET session_replication_role = origin");
}

async function recordHead() {
  const head = await chainHead(meta.db);
  const environment = await meta.db.environment.create({ data: { id: newId(), name: newId(), position: 1 } });
  const database = await meta.db.database.create({
    data: {
      id: newId(),
      name: newId(),
      engine: "sqlite",
      application: "x",
      environmentId: environment.id,
      connection: {},
    },
  });
  await meta.db.backup.create({
    data: {
      id: newId(),
      databaseId: database.id,
      operationId: newId(),
      trigger: "click",
      path: "x",
      manifest: { create: { text: JSON.stringify({ auditHead: head }), sha256: "" } },
    },
  });
}

test("links what was committed, in order, and verifies", async () => {
  await emitMany(5);
  expect(await verify()).toMatchObject({ intact: true, checked: 0, unchained: 5, head: null });
  await chainAll();
  await emitMany(2);
  expect(await appendLinks(meta.db, auditKey, new Date(Date.now() + 60_000))).toBe(0);
  await expect
    .poll(async () => {
      await appendLinks(meta.db, auditKey, new Date(Date.now() - 60_000));
      return await meta.db.auditLink.count();
    })
    .toBe(7);
  expect(await appendLinks(meta.db, auditKey)).toBe(0);
  const result = await verify();
  expect(result).toMatchObject({ intact: true, checked: 7, unchained: 0, breaks: [], head: { seq: "7" } });
  const page = await listAudit(ctx, {});
  expect(page.items.map((item) => item.seq)).toEqual(["7", "6", "5", "4", "3", "2", "1"]);
});

test("another key does not verify", async () => {
  await emitMany(2);
  await chainAll();
  const result = await checkChain(meta.db, { auditKey: randomBytes(32) });
  expect(result.intact).toBe(false);
  expect(result.breaks).toHaveLength(2);
});

test("an event waits while an older transaction could still add one before it", async () => {
  const slow = new Client({ connectionString: meta.ownerUrl });
  await slow.connect();
  await slow.query("BEGIN");
  await slow.query(`INSERT INTO audit_event (id, actor_kind, actor_name, action, object_kind, canonical)
    VALUES ('${newId()}', 'system', 'slow', 'test.slow', 'test', '')`);
  await emitMany(3);
  expect(await appendLinks(meta.db, auditKey)).toBe(0);
  await slow.query("COMMIT");
  await slow.end();
  await chainAll();
  const first = await meta.db.auditLink.findFirst({ orderBy: { seq: "asc" } });
  const event = await meta.db.auditEvent.findUnique({ where: { id: first?.eventId ?? "" } });
  expect(event?.action).toBe("test.slow");
});

test("several chainers and many writers at once make one chain without gaps", async () => {
  const stop = new AbortController();
  const chainers = [1, 2, 3].map(() => runChainer(ctx, { auditKey, signal: stop.signal, tickMs: 5 }));
  await Promise.all(
    Array.from({ length: 6 }, async (_, writer) => {
      for (let i = 0; i < 25; i += 1) {
        await meta.db.$transaction(async (tx) => {
          await emitAudit(tx, ctx, { action: `test.${writer}.${i}`, object: { kind: "test" } });
          await tx.$executeRaw`SELECT pg_sleep(${Math.random() / 100})`;
        });
      }
    }),
  );
  await expect.poll(async () => await meta.db.auditLink.count(), { timeout: 20_000 }).toBe(150);
  stop.abort();
  await Promise.all(chainers);
  const order = await meta.db.$queryRaw<{ ordered: boolean }[]>`
    SELECT e.xid::xid8 >= lag(e.xid::xid8, 1, '0') OVER (ORDER BY l.seq) AS ordered
    FROM audit_link l JOIN audit_event e ON e.id = l.event_id`;
  expect(order.every((row) => row.ordered)).toBe(true);
  expect(await verify()).toMatchObject({ intact: true, checked: 150, unchained: 0 });
});

test("the runtime role can't alter, delete or truncate, and can't switch the triggers off", async () => {
  await emitMany(1);
  await chainAll();
  for (const sql of [
    "UPDATE audit_event SET action = 'x'",
    "DELETE FROM audit_link",
    "TRUNCATE audit_event",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
  ]) {
    await expect(meta.db.$executeRawUnsafe(sql)).rejects.toThrow(/permission denied|must be owner/);
  }
});

test("columns altered by the table's owner are found", async () => {
  await emitMany(5);
  await chainAll();
  await tamper("UPDATE audit_event SET actor_name = 'someone else' WHERE action = 'test.2'");
  const result = await verify();
  expect(result.breaks).toEqual([
    { seq: "3", eventId: expect.any(String), detail: "the event was altered after it was written" },
  ]);
});

test("columns and canonical text altered together are found", async () => {
  await emitMany(4);
  await chainAll();
  await tamper(`UPDATE audit_event SET action = 'test.z', canonical = replace(canonical, 'test.1', 'test.z')
    WHERE action = 'test.1'`);
  const result = await verify();
  expect(result.breaks.map((found) => [found.seq, found.detail])).toEqual([
    ["2", "the event's text, its place or its link was altered"],
  ]);
});

test("a deleted event, a deleted link and swapped links are found", async () => {
  await emitMany(8);
  await chainAll();
  await tamper("DELETE FROM audit_event WHERE action = 'test.1'", "DELETE FROM audit_link WHERE seq = 4");
  expect((await verify()).breaks.map((found) => [found.seq, found.detail])).toEqual([
    ["2", "the event is missing"],
    ["4", "link 4 is missing"],
  ]);
  await tamper(
    "UPDATE audit_link SET seq = 100 WHERE seq = 6",
    "UPDATE audit_link SET seq = 6 WHERE seq = 7",
    "UPDATE audit_link SET seq = 7 WHERE seq = 100",
  );
  const places = (await verify()).breaks.map((found) => found.seq);
  expect(places).toEqual(expect.arrayContaining(["6", "7"]));
});

test("a cut tail is found by what backups recorded, also after the chain has grown again", async () => {
  await emitMany(6);
  await chainAll();
  await recordHead();
  expect((await verify()).intact).toBe(true);
  await tamper(
    "DELETE FROM audit_event WHERE action IN ('test.4', 'test.5')",
    "DELETE FROM audit_link WHERE seq > 4",
  );
  expect((await verify()).breaks.map((found) => found.detail)).toEqual([
    expect.stringMatching(/^the chain was cut: the backup .* recorded link 6, which is gone$/),
  ]);
  await emitMany(3);
  await chainAll();
  expect((await verify()).breaks.map((found) => found.detail)).toEqual([
    expect.stringMatching(/recorded another link 6: the chain was rewritten$/),
  ]);
});

test("walks a long chain page by page", async () => {
  await meta.db
    .$executeRaw`INSERT INTO audit_event (id, at, actor_kind, actor_name, action, object_kind, canonical)
    SELECT gen_random_uuid(), now(), 'system', 's', 'test.bulk', 'test', '' FROM generate_series(1, 2345)`;
  await chainAll();
  const result = await verify();
  expect(result.checked).toBe(2345);
  // Rows that were not written by emitAudit have no canonical text: each one shows, the list stays short.
  expect(result.breaks).toHaveLength(101);
  expect(result.breaks.at(-1)?.detail).toBe("and 2245 more");
});

test("lists by filter and page, within the actor's limits", async () => {
  await emitMany(3);
  await meta.db.$transaction((tx) =>
    emitAudit(tx, ctx, {
      action: "database.create",
      object: { kind: "database", id: newId(), name: "shop" },
    }),
  );
  const first = await listAudit(ctx, { limit: 2 });
  expect(first.items).toHaveLength(2);
  const second = await listAudit(ctx, { limit: 2, cursor: first.nextCursor ?? "" });
  expect(second.items.map((item) => item.action)).toEqual(["test.1", "test.0"]);
  expect(second.nextCursor).toBeNull();
  const names = async (query: Parameters<typeof listAudit>[1]) =>
    (await listAudit(ctx, query)).items.map((item) => item.action);
  expect(await names({ action: "database." })).toEqual(["database.create"]);
  expect(await names({ object: "shop" })).toEqual(["database.create"]);
  expect(await names({ q: "SHO" })).toEqual(["database.create"]);
  expect(await names({ q: "base.cr" })).toEqual(["database.create"]);
  expect(await names({ q: "%" })).toEqual([]);
  expect(await listAuditActions(ctx)).toEqual(["database.create", "test.0", "test.1", "test.2"]);
  expect(await names({ objectKind: "test", actor: "test" })).toHaveLength(3);
  expect(await names({ from: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
  const limited = {
    ...ctx,
    actor: {
      kind: "token" as const,
      id: newId(),
      name: "t",
      role: "viewer" as const,
      scope: { environments: ["staging"], applications: [] },
    },
  };
  expect((await listAudit(limited, {})).items).toEqual([]);
});

test("exports as CSV and JSONL, and says that it did", async () => {
  await emit("test.a", { note: '=HYPERLINK("x")' });
  const read = async (format: "csv" | "jsonl") => {
    const chunks: string[] = [];
    for await (const chunk of (await exportAudit(ctx, { format })).chunks) chunks.push(chunk);
    return chunks.join("").trimEnd().split(/\r?\n/);
  };
  const lines = await read("jsonl");
  expect(lines.map((line) => JSON.parse(line).action)).toEqual(["test.a", "audit.export"]);
  const csv = await read("csv");
  expect(csv).toHaveLength(4);
  expect(csv[0]).toContain("seq,id,at");
  const viewer = {
    ...ctx,
    actor: {
      kind: "token" as const,
      id: newId(),
      name: "t",
      role: "operator" as const,
      scope: { environments: [], applications: [] },
    },
  };
  await expect(exportAudit(viewer, {})).rejects.toMatchObject({ code: "forbidden" });
});
