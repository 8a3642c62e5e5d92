import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { enqueue, enqueueCleanUp } from "./dispatch.ts";

let meta: TestDb;
beforeAll(async () => {
  meta = await createTestDb();
});
afterAll(() => meta.drop());

const jobs = () =>
  meta.db.$queryRaw<
    { name: string; singleton_key: string; data: unknown }[]
  >`SELECT name, singleton_key, data FROM pgboss.job ORDER BY created_on, singleton_key`;

test("a job exists once its transaction has committed, and only then", async () => {
  await expect(
    meta.db.$transaction(async (tx) => {
      await enqueue(tx, { operationId: "a", pool: "near" });
      throw new Error("changed my mind");
    }),
  ).rejects.toThrow("changed my mind");
  expect(await jobs()).toEqual([]);

  await meta.db.$transaction((tx) => enqueue(tx, { operationId: "b", pool: "near" }));
  expect(await jobs()).toEqual([{ name: "operations-near", singleton_key: "b", data: { operationId: "b" } }]);
});

test("sending again while a job waits adds none; a clean-up is a job of its own", async () => {
  await meta.db.$transaction(async (tx) => {
    await enqueue(tx, { operationId: "b", pool: "near" });
    await enqueue(tx, { operationId: "b", pool: "near" });
    await enqueueCleanUp(tx, { operationId: "b", attempt: 1, pool: "near" });
  });
  expect((await jobs()).map((job) => job.singleton_key)).toEqual(["b", "b#1"]);
});
