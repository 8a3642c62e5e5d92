import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cancelOperation } from "../lib/operations/cancel-operation.ts";
import type { TestDb } from "../lib/testing/metadata.ts";
import type { RunningWorker } from "./start-worker.ts";
import {
  addDatabase,
  begin,
  createPlace,
  ctxOf,
  eventually,
  historyOf,
  stateOf,
  until,
  whatOf,
  workerHere,
} from "./testing/harness.ts";
import { exclusive, once, onServer, parent, tracesOf } from "./testing/test-handlers.ts";

let meta: TestDb;
let worker: RunningWorker;
beforeAll(async () => {
  meta = await createPlace();
  worker = await workerHere(meta);
});
afterAll(async () => {
  await worker.stop(0);
  await meta.drop();
});

describe("limits", () => {
  test("one at a time works on a database, however it is registered; the next starts when the slot is free", async () => {
    const [first, second] = [
      await addDatabase(meta, "srv-1", "shop"),
      await addDatabase(meta, "srv-1", "shop"),
    ];
    const long = await begin(meta, exclusive, { ms: 60_000 }, { databaseId: first, title: "Back up shop" });
    await until(meta, long, "running");
    const waiting = await begin(meta, exclusive, { ms: 40 }, { databaseId: second });
    const row = await eventually(async () => {
      const found = await stateOf(meta, waiting);
      expect(found.waitsFor).toBe("database:srv-1/shop");
      return found;
    });
    expect(row).toMatchObject({
      state: "queued",
      reason: "waits for “Back up shop”, which works on the same database",
    });
    const foreign = await addDatabase(meta, "srv-1", "shop");
    await meta.db.database.update({ where: { id: foreign }, data: { application: "another" } });
    const other = await begin(meta, exclusive, {}, { databaseId: foreign });
    await eventually(async () =>
      expect((await stateOf(meta, other)).reason).toBe(
        "waits for another operation, which works on the same database",
      ),
    );
    await cancelOperation(ctxOf(meta), other);
    await cancelOperation(ctxOf(meta), long);
    await until(meta, waiting, "succeeded");
    const [ended] = (await tracesOf(meta.db, long)).filter(({ what }) => what.startsWith("onEnd"));
    const [begun] = await tracesOf(meta.db, waiting);
    expect(begun?.at.getTime()).toBeGreaterThanOrEqual(ended?.at.getTime() ?? Number.POSITIVE_INFINITY);
    expect(await meta.db.slot.count()).toBe(0);
  });

  test("many that wait for one slot all run, one after the other", async () => {
    const databaseId = await addDatabase(meta, "srv-2", "queue");
    const ids = await Promise.all(
      Array.from({ length: 12 }, () => begin(meta, exclusive, { ms: 20 }, { databaseId })),
    );
    for (const id of ids) await until(meta, id, "succeeded");
    const spans = await Promise.all(
      ids.map(async (id) => {
        const traces = await tracesOf(meta.db, id);
        return [traces[0]?.at.getTime() ?? 0, traces.at(-1)?.at.getTime() ?? 0] as const;
      }),
    );
    spans.sort((a, b) => a[0] - b[0]);
    for (const [index, [start]] of spans.entries()) {
      if (index > 0) expect(start).toBeGreaterThanOrEqual(spans[index - 1]?.[1] ?? 0);
    }
  });

  test("a server takes no more than its number at once", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const databaseId = await addDatabase(meta, "srv-3");
      ids.push(await begin(meta, onServer, { ms: 60_000 }, { databaseId }));
    }
    const states = async () =>
      (await Promise.all(ids.map((id) => stateOf(meta, id)))).map(({ state }) => state).sort();
    await eventually(async () => {
      const rows = await Promise.all(ids.map((id) => stateOf(meta, id)));
      expect(rows.filter(({ waitsFor }) => waitsFor === "server:srv-3")).toHaveLength(2);
    });
    expect(await states()).toEqual(["queued", "queued", "running", "running"]);
    for (const id of ids) await cancelOperation(ctxOf(meta), id);
    for (const id of ids) await until(meta, id, "cancelled");
  });

  test("a child inherits its parent's slot, and runs on a worker that has one place", async () => {
    const databaseId = await addDatabase(meta, "srv-4", "restored");
    await worker.stop(0);
    worker = await workerHere(meta, { concurrency: 1, name: "narrow" });
    const id = await begin(meta, parent, { ms: 100 }, { databaseId });
    const row = await until(meta, id, "succeeded");
    expect(row.reason).toBe("the child has succeeded");
    expect(await meta.db.slot.count()).toBe(0);
  });

  test("a parent that is cancelled takes its child with it", async () => {
    const databaseId = await addDatabase(meta, "srv-5");
    const id = await begin(meta, parent, { ms: 60_000 }, { databaseId });
    const child = await eventually(async () =>
      meta.db.operation.findFirstOrThrow({ where: { rootId: id, id: { not: id }, state: "running" } }),
    );
    await cancelOperation(ctxOf(meta), id);
    await until(meta, id, "cancelled");
    expect((await until(meta, child.id, "cancelled")).reason).toBe(
      "cancelled by the operation that started it",
    );
  });
});

describe("cancel", () => {
  test("a queued operation is cancelled at once, and a worker tells its rows", async () => {
    const id = await begin(meta, once, {}, { pool: "nowhere" });
    const dto = await cancelOperation(ctxOf(meta), id);
    expect(dto).toMatchObject({ state: "cancelled", reason: "cancelled by test", cancellable: false });
    expect(await historyOf(meta, id)).toEqual(["0 queued", "0 cancelled"]);
    await meta.db.operationCleanUp.updateMany({ where: { operationId: id }, data: { pool: "default" } });
    await eventually(async () =>
      expect(await whatOf(meta, id)).toEqual(["onEnd cancelled", "cleanUp cancelled"]),
    );
    await eventually(async () => expect(await meta.db.operationCleanUp.count()).toBe(0));
  });

  test("a running operation stops, tidies up, and then is cancelled", async () => {
    const id = await begin(meta, once, { ms: 60_000 });
    await until(meta, id, "running");
    expect(await cancelOperation(ctxOf(meta), id)).toMatchObject({ state: "cancelling", cancellable: false });
    await until(meta, id, "cancelled");
    expect(await historyOf(meta, id)).toEqual(["0 queued", "1 running", "1 cancelling", "1 cancelled"]);
    expect(await whatOf(meta, id)).toEqual(["begin", "onEnd cancelled"]);
    const [step] = await meta.db.operationStep.findMany({ where: { operationId: id } });
    expect(step?.state).toBe("cancelled");
  });

  test("asking twice changes nothing; an ended operation is a conflict; each is audited once", async () => {
    const id = await begin(meta, once, { end: "ignore" });
    await until(meta, id, "running");
    await cancelOperation(ctxOf(meta), id);
    await cancelOperation(ctxOf(meta), id);
    await until(meta, id, "cancelled");
    await expect(cancelOperation(ctxOf(meta), id)).rejects.toMatchObject({ code: "conflict" });
    const audited = await meta.db.auditEvent.findMany({ where: { objectId: id } });
    expect(audited.map(({ action, after }) => [action, after])).toEqual([
      ["operation.cancel", { state: "cancelling" }],
    ]);
  });

  test("nobody cancels without the role, out of their limits, or what does not exist", async () => {
    const id = await begin(meta, once, {}, { pool: "nowhere", databaseId: await addDatabase(meta, null) });
    const as = (role: "viewer" | "operator", environments: string[] = []) => ({
      ...ctxOf(meta),
      actor: { kind: "token" as const, id, name: role, role, scope: { environments, applications: [] } },
    });
    await expect(cancelOperation(as("viewer"), id)).rejects.toMatchObject({ code: "forbidden" });
    await expect(cancelOperation(as("operator", ["elsewhere"]), id)).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(cancelOperation(as("operator"), "nonsense")).rejects.toMatchObject({ code: "not_found" });
    expect((await cancelOperation(as("operator", ["test"]), id)).state).toBe("cancelled");
  });
});
