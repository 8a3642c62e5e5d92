import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ctx, Role, Scope } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { makeBackup, makeDatabase, provenNow } from "../databases/testing/make-database.ts";
import type { Backup } from "../db/generated/client.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { find, idRange } from "./find.ts";

let meta: TestDb;
let ctx: Ctx;
let backup: Backup;
const operationId = newId();

beforeAll(async () => {
  meta = await createTestDb();
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  const shop = await makeDatabase(meta.db, { name: "shop-staging", application: "shop", tags: ["100%_tag"] });
  await makeDatabase(meta.db, { name: "billing", application: "billing", environment: "production" });
  backup = await makeBackup(meta.db, shop.id, provenNow());
  await meta.db.operation.create({
    data: {
      id: operationId,
      rootId: operationId,
      kind: "backup.run",
      state: "succeeded",
      title: "Back up shop-staging",
      pool: "default",
      payload: {},
      actorKind: "system",
      actorName: "s",
      trigger: "system",
      databaseId: shop.id,
    },
  });
  await meta.db.user.create({
    data: { id: newId(), email: "ada@example.org", name: "Ada", passwordHash: "", role: "viewer" },
  });
});
afterAll(async () => {
  await meta.drop();
});

function as(role: Role, scope: Partial<Scope> = {}): Ctx {
  const whole = { environments: [], applications: [], ...scope };
  return { ...ctx, actor: { kind: "token", id: newId(), name: "t", role, scope: whole } };
}
const hits = async (q: string, asker = ctx) =>
  (await find(asker, { q })).items.map((hit) => `${hit.kind} ${hit.title}`);

test("finds things by name, and the pages", async () => {
  expect(await hits("SHOP")).toEqual([
    "database shop-staging",
    "backup Backup of shop-staging",
    "operation Back up shop-staging",
  ]);
  expect(await hits("ada@")).toEqual(["member Ada"]);
  expect(await hits("members")).toEqual(["page Members"]);
  expect(await hits("local")).toEqual(["destination local"]);
  expect(await hits("nothing at all")).toEqual([]);
});

test("% and _ are only characters", async () => {
  expect(await hits("100%_t")).toEqual(["database shop-staging"]);
  expect(await hits("%")).toEqual(["database shop-staging"]);
});

test("finds a backup or an operation by the beginning of its id", async () => {
  expect(await hits(backup.id.slice(0, 30))).toContain("backup Backup of shop-staging");
  expect(await hits(operationId)).toEqual(["operation Back up shop-staging"]);
  expect(idRange("0199ab")).toEqual({
    first: "0199ab00-0000-0000-0000-000000000000",
    last: "0199abff-ffff-ffff-ffff-ffffffffffff",
  });
  expect(idRange("shop")).toBeNull();
  expect(idRange("abc")).toBeNull();
});

test("limits and roles hold here, too", async () => {
  expect(await hits("shop", as("viewer", { environments: ["production"] }))).toEqual([]);
  expect(await hits(operationId, as("viewer", { environments: ["production"] }))).toEqual([]);
  expect(await hits(backup.id, as("viewer", { applications: ["billing"] }))).toEqual([]);
  expect(await hits("ada@", as("viewer"))).toEqual([]);
  expect(await hits("members", as("viewer"))).toEqual([]);
  expect(await hits("ada@", as("admin", { applications: ["shop"] }))).toEqual([]);
});
