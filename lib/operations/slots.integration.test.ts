import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { asSystem, systemClock } from "../context.ts";
import { makeDatabase } from "../databases/testing/make-database.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import type { ClaimOptions, Seen } from "./claim.ts";
import { claimOperation } from "./claim.ts";
import { defineOperation } from "./definition.ts";
import { freeSlots } from "./slots.ts";
import { startOperation } from "./start-operation.ts";

const exclusive = defineOperation({
  kind: "test.slots",
  payload: z.object({}),
  maxAttempts: 1,
  stallSeconds: 60,
  exclusive: true,
  usesServer: true,
});
const ROUNDS = 15;

let meta: TestDb;
beforeAll(async () => {
  meta = await createTestDb();
});
afterAll(async () => {
  await meta.drop();
});

async function queued(databaseId: string): Promise<string> {
  const ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "silent") }, "test");
  const input = { payload: {}, title: "A test", pool: "default", trigger: "click", databaseId } as const;
  return await meta.db.$transaction((tx) => startOperation(tx, ctx, exclusive, input));
}

async function claim(operationId: string, seen: Seen | null, identifies = true) {
  const options: ClaimOptions = {
    workerId: newId(),
    workerName: "w",
    leaseMs: 60_000,
    serverConcurrency: 4,
    definitionOf: () => exclusive,
    identifies: () => identifies,
    seen,
  };
  return (await claimOperation(meta.db, operationId, options)).outcome;
}

async function end(id: string): Promise<void> {
  await meta.db.$transaction(async (tx) => {
    const { rootId } = await tx.operation.findUniqueOrThrow({ where: { id } });
    await tx.operation.update({ where: { id }, data: { state: "succeeded" } });
    await freeSlots(tx, { id, rootId });
  });
}

const waitsFor = async (id: string) =>
  (await meta.db.operation.findUniqueOrThrow({ where: { id } })).waitsFor;

test("the server is asked before anything is taken, and nothing is held meanwhile", async () => {
  const database = await makeDatabase(meta.db, { name: "asked" });
  const id = await queued(database.id);
  expect(await claim(id, null)).toBe("identify");
  expect(await meta.db.slot.count()).toBe(0);
  expect(await claim(id, { identity: "srv" })).toBe("claimed");
  const slots = await meta.db.slot.findMany({ orderBy: { key: "asc" } });
  expect(slots.map(({ key }) => key)).toEqual([
    "database:srv/asked",
    `registration:${database.id}`,
    "server:srv#0",
  ]);
  await end(id);
  expect(await meta.db.slot.count()).toBe(0);
});

test("two registrations of one database that nobody has seen yet never run at once", async () => {
  const connection = { host: "db", port: 5432, database: "shop", user: "me", tls: "disable" };
  const [one, two] = await Promise.all([
    makeDatabase(meta.db, { connection }),
    makeDatabase(meta.db, { connection: { ...connection, host: "db.internal" } }),
  ]);
  for (let round = 0; round < ROUNDS; round += 1) {
    const ids = await Promise.all([queued(one.id), queued(two.id)]);
    const seen = { identity: "srv-1" };
    const outcomes = await Promise.all(ids.map((id) => claim(id, seen)));
    expect(outcomes.toSorted()).toEqual(["claimed", "waits"]);
    const winner = outcomes.indexOf("claimed");
    const [first, second] = winner === 0 ? ids : ids.toReversed();
    expect(await waitsFor(second ?? "")).toBe("database:srv-1/shop");
    // The end of the one and another try of the other, at the same moment, in any order.
    const [, again] = await Promise.all([end(first ?? ""), claim(second ?? "", seen)]);
    if (again === "waits") expect(await claim(second ?? "", seen)).toBe("claimed");
    await end(second ?? "");
  }
  expect(await meta.db.slot.count()).toBe(0);
});

test.each([
  ["first seen", null, "srv-2"],
  ["seen to be another one", "srv-3", "srv-4"],
])("a server that is %s while an operation runs lets no second one in", async (_, before, after) => {
  const database = await makeDatabase(meta.db, { serverIdentity: before });
  const runs = await queued(database.id);
  expect(await claim(runs, before === null ? { error: "away" } : { identity: before })).toBe("claimed");
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = await queued(database.id);
    const [, outcome] = await Promise.all([
      meta.db.database.update({ where: { id: database.id }, data: { serverIdentity: after } }),
      claim(next, { identity: after }),
    ]);
    expect(outcome).toBe("waits");
    expect(await waitsFor(next)).toBe(`registration:${database.id}`);
    await meta.db.database.update({ where: { id: database.id }, data: { serverIdentity: before } });
    await end(next);
  }
  await end(runs);
  expect(await meta.db.slot.count()).toBe(0);
});

test("a file is one database under all its names", async () => {
  const [one, two] = await Promise.all(
    ["/srv/kiosk.db", "/mnt/srv/kiosk.db"].map((file) =>
      makeDatabase(meta.db, { engine: "sqlite", connection: { file } }),
    ),
  );
  const [first, second] = [await queued(one?.id ?? ""), await queued(two?.id ?? "")];
  const seen = { identity: "sqlite:host:1:2" };
  expect(await claim(first, seen)).toBe("claimed");
  expect(await claim(second, seen)).toBe("waits");
  await end(first);
  await end(second);
});
