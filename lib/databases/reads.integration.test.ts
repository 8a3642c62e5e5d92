import { afterAll, beforeAll, expect, test } from "vitest";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import type { Backup, Database } from "../db/generated/client.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { getDatabase } from "./get-database.ts";
import { listDatabases } from "./list-databases.ts";
import { makeBackup, makeDatabase, provenNow } from "./testing/make-database.ts";
import { databaseTimeline } from "./timeline.ts";

const HOUR = 3_600_000;
let meta: TestDb;
let ctx: Ctx;
let shop: Database;
let proven: Backup;

beforeAll(async () => {
  meta = await createTestDb();
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  shop = await makeDatabase(meta.db, {
    name: "shop-production",
    application: "shop",
    environment: "production",
  });
  proven = await makeBackup(meta.db, shop.id, { ...provenNow(5 * HOUR), sizeBytes: 118_000_000n });
  await makeBackup(meta.db, shop.id, { ageMs: HOUR, state: "failed", reason: "disk full" });
  const copy = await meta.db.copy.findFirstOrThrow({ where: { backupId: proven.id } });
  await meta.db.proof.create({
    data: {
      id: newId(),
      backupId: proven.id,
      copyId: copy.id,
      operationId: newId(),
      level: "restored",
      verdict: "proven",
      reason: "every table equal",
      restoreSeconds: 11,
      report: {},
      startedAt: new Date(Date.now() - 4 * HOUR),
      finishedAt: new Date(Date.now() - 4 * HOUR),
    },
  });
  const restore = newId();
  await meta.db.operation.create({
    data: {
      id: restore,
      rootId: restore,
      kind: "backup.restore",
      state: "succeeded",
      title: "Restore shop-production to shop_copy",
      pool: "default",
      payload: {},
      actorKind: "user",
      actorName: "ada",
      trigger: "click",
      databaseId: shop.id,
      createdAt: new Date(Date.now() - 3 * HOUR),
    },
  });
  await meta.db.$transaction((tx) =>
    emitAudit(tx, ctx, {
      action: "database.update",
      object: { kind: "database", id: shop.id, name: shop.name },
    }),
  );
  await makeDatabase(meta.db, {
    name: "a-kiosk",
    engine: "sqlite",
    tags: ["shop floor"],
    connection: { file: "/k" },
  });
  await makeDatabase(meta.db, { name: "billing", owner: "team-money" });
  await makeDatabase(meta.db, { name: "old", archivedAt: new Date() });
});
afterAll(async () => {
  await meta.drop();
});

const names = async (query: Parameters<typeof listDatabases>[1]) =>
  (await listDatabases(ctx, query)).items.map((item) => item.name);

test("lists by name, filters, and pages without loss or repetition", async () => {
  expect(await names({})).toEqual(["a-kiosk", "billing", "shop-production"]);
  expect(await names({ archived: "yes" })).toEqual(["old"]);
  expect(await names({ engine: "sqlite" })).toEqual(["a-kiosk"]);
  expect(await names({ environment: "production" })).toEqual(["shop-production"]);
  expect(await names({ application: "shop" })).toEqual(["shop-production"]);
  expect(await names({ tag: "shop floor" })).toEqual(["a-kiosk"]);
  expect(await names({ q: "MONEY" })).toEqual(["billing"]);
  expect(await names({ recoverable: "warning" })).toEqual(["shop-production"]);
  expect(await names({ recoverable: "unknown", limit: 1 })).toEqual(["a-kiosk"]);
  const first = await listDatabases(ctx, { limit: 2 });
  expect(first.items.map((item) => item.name)).toEqual(["a-kiosk", "billing"]);
  expect(await names({ limit: 2, cursor: first.nextCursor ?? "" })).toEqual(["shop-production"]);
  await expect(listDatabases(ctx, { cursor: "!!" })).rejects.toMatchObject({ code: "invalid" });
});

test("one database by name or id, without its secret", async () => {
  await meta.db.database.update({ where: { id: shop.id }, data: { secretSealed: "v1.k.n.b" } });
  const one = await getDatabase(ctx, "shop-production");
  expect(await getDatabase(ctx, shop.id)).toEqual(one);
  expect(one).toMatchObject({ hasPassword: true, protected: false, application: "shop", preflight: null });
  expect(one.recoverable).toMatchObject({
    state: "warning",
    detail: "last backup failed: disk full",
    href: `/backups/${proven.id}`,
  });
  expect(JSON.stringify(one)).not.toContain("v1.k.n.b");
  await expect(getDatabase(ctx, "none")).rejects.toMatchObject({ code: "not_found" });
  const elsewhere: Ctx = {
    ...ctx,
    actor: {
      kind: "token",
      id: newId(),
      name: "t",
      role: "admin",
      scope: { environments: ["staging"], applications: [] },
    },
  };
  await expect(getDatabase(elsewhere, "shop-production")).rejects.toMatchObject({ code: "not_found" });
  expect((await listDatabases(elsewhere, {})).items.map((item) => item.name)).toEqual(["a-kiosk", "billing"]);
});

test("the timeline merges everything, newest first, page by page", async () => {
  const titles = async (query: Parameters<typeof databaseTimeline>[2]) => {
    const page = await databaseTimeline(ctx, "shop-production", query);
    return { page, titles: page.items.map((item) => [item.title, item.state]) };
  };
  const whole = await titles({});
  expect(whole.titles).toEqual([
    ["Settings changed", "ok"],
    ["Backup failed", "problem"],
    ["Restore shop-production to shop_copy", "ok"],
    ["Proven", "ok"],
    ["Backed up", "ok"],
  ]);
  expect(whole.page.items.map((item) => item.detail?.replaceAll("\u00a0", " ") ?? null)).toEqual([
    null,
    "disk full",
    null,
    "restored in 11 s",
    "118 MB",
  ]);
  const seen: unknown[] = [];
  let cursor: string | undefined;
  do {
    const { page, titles: part } = await titles({ limit: 2, ...(cursor ? { cursor } : {}) });
    seen.push(...part);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  expect(seen).toEqual(whole.titles);
});
