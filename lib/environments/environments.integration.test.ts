import { afterEach, beforeEach, expect, test } from "vitest";
import type { Ctx, Role, Scope } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import { makeDatabase } from "../databases/testing/make-database.ts";
import { ensureDefaults } from "../defaults.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { createEnvironment } from "./create-environment.ts";
import { deleteEnvironment } from "./delete-environment.ts";
import { listEnvironments } from "./list-environments.ts";
import { orderEnvironments } from "./order-environments.ts";
import { updateEnvironment } from "./update-environment.ts";

let meta: TestDb;
let ctx: Ctx;
beforeEach(async () => {
  meta = await createTestDb();
  ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "error") }, "test");
  await ensureDefaults(ctx, { dataFolder: "/var/lib/holdfast" });
});
afterEach(async () => {
  await meta.drop();
});

function as(role: Role, scope: Partial<Scope> = {}): Ctx {
  const whole = { environments: [], applications: [], ...scope };
  return { ...ctx, actor: { kind: "token", id: newId(), name: "t", role, scope: whole } };
}

const names = async (asker = ctx) => (await listEnvironments(asker)).map((one) => one.name);
const actions = async () =>
  (await meta.db.auditEvent.findMany({ orderBy: { id: "asc" } })).map((one) => one.action);

test("a first start makes the usual three and a local destination, once", async () => {
  await Promise.all([1, 2, 3].map(() => ensureDefaults(ctx, { dataFolder: "/elsewhere" })));
  const list = await listEnvironments(ctx);
  expect(list.map((one) => [one.name, one.position, one.protected])).toEqual([
    ["development", 1, false],
    ["staging", 2, false],
    ["production", 3, true],
  ]);
  const destinations = await meta.db.destination.findMany();
  expect(destinations.map((one) => [one.name, one.config])).toEqual([
    ["local", { folder: "/var/lib/holdfast/backups" }],
  ]);
  expect(await meta.db.install.count()).toBe(1);
  for (const name of ["development", "staging", "production"]) await deleteEnvironment(ctx, name);
  await ensureDefaults(ctx, { dataFolder: "/elsewhere" });
  expect(await names()).toEqual([]);
});

test("create, rename, protect, order and delete, each with its audit event", async () => {
  await createEnvironment(ctx, { name: "qa" });
  expect(await names()).toEqual(["development", "staging", "production", "qa"]);
  await expect(createEnvironment(ctx, { name: "qa" })).rejects.toMatchObject({
    code: "conflict",
    fields: { name: "is taken" },
  });
  await expect(createEnvironment(ctx, { name: "Not Good" })).rejects.toThrow(/lower-case/);
  expect(await updateEnvironment(ctx, "qa", { protected: true })).toMatchObject({
    name: "qa",
    protected: true,
  });
  expect(await updateEnvironment(ctx, "qa", { name: "acceptance" })).toMatchObject({ protected: true });
  await expect(updateEnvironment(ctx, "acceptance", { name: "staging" })).rejects.toMatchObject({
    code: "conflict",
  });
  await expect(updateEnvironment(ctx, "qa", {})).rejects.toMatchObject({ code: "not_found" });
  await orderEnvironments(ctx, { order: ["development", "acceptance", "staging", "production"] });
  expect(await names()).toEqual(["development", "acceptance", "staging", "production"]);
  await expect(
    orderEnvironments(ctx, { order: ["development", "development", "staging", "x"] }),
  ).rejects.toMatchObject({ code: "conflict" });
  await deleteEnvironment(ctx, "acceptance");
  expect(await actions()).toEqual([
    "install.create",
    "environment.create",
    "environment.update",
    "environment.update",
    "environment.order",
    "environment.delete",
  ]);
});

test("one that a database belongs to, archived or not, is not deleted", async () => {
  await makeDatabase(meta.db, { environment: "staging", archivedAt: new Date() });
  await expect(deleteEnvironment(ctx, "staging")).rejects.toMatchObject({ code: "refused" });
  expect((await listEnvironments(ctx)).find((one) => one.name === "staging")?.databases).toBe(0);
});

test("limits of members and tokens follow a new name and keep an environment from being deleted", async () => {
  const token = await meta.db.apiToken.create({
    data: {
      id: newId(),
      name: "ci",
      prefix: "x",
      tokenHash: "x",
      role: "operator",
      scopeEnvironments: ["staging", "development"],
      createdBy: "test",
    },
  });
  await updateEnvironment(ctx, "staging", { name: "test" });
  const { scopeEnvironments } = await meta.db.apiToken.findUniqueOrThrow({ where: { id: token.id } });
  expect(scopeEnvironments).toEqual(["test", "development"]);
  await expect(deleteEnvironment(ctx, "test")).rejects.toThrow(/limited to "test"/);
});

test("viewers, operators and limited admins change nothing; limits narrow the list", async () => {
  for (const asker of [as("viewer"), as("operator"), as("admin", { environments: ["staging"] })]) {
    await expect(createEnvironment(asker, { name: "x" })).rejects.toMatchObject({ code: "forbidden" });
    await expect(updateEnvironment(asker, "staging", { protected: true })).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(deleteEnvironment(asker, "staging")).rejects.toMatchObject({ code: "forbidden" });
    await expect(orderEnvironments(asker, { order: ["staging"] })).rejects.toMatchObject({
      code: "forbidden",
    });
  }
  expect(await names(as("viewer", { environments: ["staging"] }))).toEqual(["staging"]);
  await makeDatabase(meta.db, { application: "shop", environment: "staging" });
  await makeDatabase(meta.db, { application: "billing", environment: "staging" });
  const [staging] = await listEnvironments(
    as("viewer", { environments: ["staging"], applications: ["shop"] }),
  );
  expect(staging?.databases).toBe(1);
});
