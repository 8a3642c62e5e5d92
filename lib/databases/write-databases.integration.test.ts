import { afterEach, beforeEach, expect, test } from "vitest";
import type { Ctx, Role, Scope } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestKeyring } from "../secrets/testing/keyring.ts";
import { createTestKeyring } from "../secrets/testing/keyring.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { archiveDatabase, unarchiveDatabase } from "./archive-database.ts";
import { createDatabase } from "./create-database.ts";
import { loadAccess } from "./load-access.ts";
import { requestPreflight } from "./request-preflight.ts";
import { makeDatabase, makeEnvironment } from "./testing/make-database.ts";
import { updateDatabase } from "./update-database.ts";

const SECRET = "s3cret-pässword";
const URL_TEXT = `postgresql://backup:${encodeURIComponent(SECRET)}@db.internal:5432/shop?sslmode=require`;

let meta: TestDb;
let keys: TestKeyring;
let ctx: Ctx;
beforeEach(async () => {
  meta = await createTestDb();
  keys = await createTestKeyring(meta.db);
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  await makeEnvironment(meta.db, "staging");
  await makeEnvironment(meta.db, "production", true);
});
afterEach(async () => {
  delete process.env.DATABASE_URL;
  await meta.drop();
  await keys.remove();
});

function as(role: Role, scope: Partial<Scope> = {}): Ctx {
  const whole = { environments: [], applications: [], ...scope };
  return { ...ctx, actor: { kind: "token", id: newId(), name: "t", role, scope: whole } };
}

const shop = {
  name: "shop-production",
  engine: "postgres" as const,
  environment: "production",
  url: URL_TEXT,
};

test("registers by URL: password sealed, application derived, worker asked to look", async () => {
  const created = await createDatabase(ctx, { ...shop, tags: ["core"], owner: "team-shop" });
  expect(created).toMatchObject({
    name: "shop-production",
    application: "shop",
    environment: "production",
    protected: true,
    hasPassword: true,
    version: 1,
    recoverable: { state: "unknown", text: "never backed up" },
    connection: { host: "db.internal", port: 5432, database: "shop", user: "backup", tls: "require" },
  });
  expect(await loadAccess(ctx, keys.keyring, created.id)).toEqual({
    connection: created.connection,
    password: SECRET,
  });
  const everything = JSON.stringify([
    created,
    await meta.db.database.findMany(),
    await meta.db.auditEvent.findMany(),
    await meta.db.operation.findMany(),
  ]);
  expect(everything).not.toContain(SECRET);
  const [operation] = await meta.db.operation.findMany();
  expect(operation).toMatchObject({ kind: "database.preflight", databaseId: created.id, state: "queued" });
  expect(await requestPreflight(ctx, "shop-production")).toEqual({ id: operation?.id });
  const events = await meta.db.auditEvent.findMany({ orderBy: { id: "asc" } });
  expect(events.map((event) => event.action)).toEqual(["database.create", "database.preflight"]);
});

test("registers by parts, with the password apart, and an SQLite file", async () => {
  const connection = { host: "db.internal", database: "billing", user: "u" };
  const billing = await createDatabase(ctx, {
    name: "billing",
    engine: "postgres",
    environment: "staging",
    connection,
    password: "p",
  });
  expect(billing.connection).toMatchObject({ port: 5432, tls: "prefer" });
  const kiosk = {
    name: "kiosk",
    engine: "sqlite" as const,
    environment: "staging",
    url: "sqlite:///srv/kiosk.db",
  };
  expect(await createDatabase(ctx, kiosk)).toMatchObject({
    connection: { file: "/srv/kiosk.db" },
    hasPassword: false,
  });
});

test.each([
  ["url", { url: "http://db" }],
  ["url", { url: undefined }],
  ["url", { connection: { host: "x", database: "d", user: "u" } }],
  ["password", { password: "another" }],
  ["connection.host", { url: "postgresql://u:p@169.254.169.254/d" }],
  ["environment", { environment: "nowhere" }],
])("what is wrong is told at its field: %s", async (field, change) => {
  const failure = await createDatabase(ctx, { ...shop, ...change } as typeof shop).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ fields: { [field]: expect.any(String) } });
  expect(await meta.db.database.count()).toBe(0);
});

test("name, place and database are each taken once, also by two at a time", async () => {
  const results = await Promise.allSettled([createDatabase(ctx, shop), createDatabase(ctx, shop)]);
  expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
  const other = "postgresql://u:p@db.internal/other";
  await expect(createDatabase(ctx, { ...shop, url: other })).rejects.toMatchObject({
    code: "conflict",
    fields: { name: expect.any(String) },
  });
  await expect(
    createDatabase(ctx, { ...shop, name: "shop2", application: "shop", url: other }),
  ).rejects.toMatchObject({
    fields: { application: expect.stringContaining("shop-production") },
  });
  await expect(createDatabase(ctx, { ...shop, name: "again" })).rejects.toMatchObject({
    fields: { connection: expect.stringContaining("shop-production") },
  });
  const upperCase = URL_TEXT.replace("db.internal", "DB.Internal");
  await expect(createDatabase(ctx, { ...shop, name: "again", url: upperCase })).rejects.toMatchObject({
    code: "conflict",
  });
});

test("Holdfast's own database is refused", async () => {
  process.env.DATABASE_URL = "postgresql://holdfast:x@meta.internal:5432/holdfast";
  const url = "postgresql://someone:else@meta.internal/holdfast";
  await expect(createDatabase(ctx, { ...shop, url })).rejects.toMatchObject({ code: "refused" });
});

test("an edit needs the version that was seen; the password stays unless it is given", async () => {
  const { id, version } = await createDatabase(ctx, shop);
  const edited = await updateDatabase(ctx, "shop-production", { version, note: "read replica", tags: ["a"] });
  expect(edited).toMatchObject({ version: 2, note: "read replica", tags: ["a"], hasPassword: true });
  await expect(updateDatabase(ctx, id, { version, note: "late" })).rejects.toMatchObject({
    code: "conflict",
  });
  expect(await updateDatabase(ctx, id, { version: 2, password: "new one" })).toMatchObject({ version: 3 });
  expect((await loadAccess(ctx, keys.keyring, id)).password).toBe("new one");
  const moved = await updateDatabase(ctx, id, { version: 3, name: "shop-staging", environment: "staging" });
  expect(moved).toMatchObject({
    name: "shop-staging",
    environment: "staging",
    application: "shop",
    protected: false,
  });
  expect(await updateDatabase(ctx, id, { version: 4, note: null })).toMatchObject({
    note: null,
    tags: ["a"],
  });
  const events = JSON.stringify(await meta.db.auditEvent.findMany({ where: { action: "database.update" } }));
  expect(events).not.toContain("new one");
});

test("a stored password is not sent to another server", async () => {
  const { id, version, connection } = await createDatabase(ctx, shop);
  for (const change of [{ host: "evil.example" }, { port: 5433 }, { tls: "disable" }]) {
    await expect(
      updateDatabase(ctx, id, { version, connection: { ...connection, ...change } }),
    ).rejects.toMatchObject({ fields: { password: expect.any(String) } });
  }
  await meta.db.database.update({ where: { id }, data: { serverIdentity: "s1", serverVersion: "15.1" } });
  const otherUser = await updateDatabase(ctx, id, { version, connection: { ...connection, user: "reader" } });
  expect(otherUser).toMatchObject({ hasPassword: true, serverVersion: null, serverIdentity: null });
  const url = "postgresql://u:fresh@elsewhere.internal/shop";
  expect(await updateDatabase(ctx, id, { version: 2, url })).toMatchObject({
    connection: { host: "elsewhere.internal" },
  });
  expect((await loadAccess(ctx, keys.keyring, id)).password).toBe("fresh");
});

test("archiving keeps history and frees the place; work that goes on refuses it", async () => {
  const { id } = await createDatabase(ctx, shop);
  await expect(archiveDatabase(ctx, id)).rejects.toMatchObject({ code: "refused" });
  await meta.db.operation.updateMany({ data: { state: "succeeded" } });
  expect((await archiveDatabase(ctx, id)).archivedAt).not.toBeNull();
  await expect(archiveDatabase(ctx, id)).rejects.toMatchObject({ code: "conflict" });
  await expect(requestPreflight(ctx, id)).rejects.toMatchObject({ code: "refused" });
  await expect(createDatabase(ctx, shop)).rejects.toMatchObject({
    fields: { name: expect.stringContaining("archived") },
  });
  await createDatabase(ctx, { ...shop, name: "shop-new", application: "shop" });
  await expect(unarchiveDatabase(ctx, id)).rejects.toMatchObject({ code: "conflict" });
  await meta.db.operation.updateMany({ data: { state: "succeeded" } });
  await archiveDatabase(ctx, "shop-new");
  expect((await unarchiveDatabase(ctx, id)).archivedAt).toBeNull();
});

test("only admins write, and only within their limits", async () => {
  await makeDatabase(meta.db, { name: "there", environment: "production" });
  for (const asker of [as("viewer"), as("operator")]) {
    await expect(createDatabase(asker, shop)).rejects.toMatchObject({ code: "forbidden" });
    await expect(updateDatabase(asker, "there", { version: 1 })).rejects.toMatchObject({ code: "forbidden" });
    await expect(archiveDatabase(asker, "there")).rejects.toMatchObject({ code: "forbidden" });
    await expect(unarchiveDatabase(asker, "there")).rejects.toMatchObject({ code: "forbidden" });
  }
  await expect(requestPreflight(as("viewer"), "there")).rejects.toMatchObject({ code: "forbidden" });
  await requestPreflight(as("operator"), "there");
  const stagingAdmin = as("admin", { environments: ["staging"] });
  await expect(createDatabase(stagingAdmin, shop)).rejects.toMatchObject({ code: "not_found" });
  await expect(updateDatabase(stagingAdmin, "there", { version: 1 })).rejects.toMatchObject({
    code: "not_found",
  });
  const mine = await createDatabase(stagingAdmin, { ...shop, name: "shop-staging", environment: "staging" });
  // Moving a database out of one's limits would be a way around them.
  await expect(
    updateDatabase(stagingAdmin, mine.id, { version: 1, environment: "production" }),
  ).rejects.toMatchObject({ code: "not_found" });
});
