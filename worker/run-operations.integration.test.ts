import { afterAll, beforeAll, expect, test } from "vitest";
import type { Tx } from "../lib/db/client.ts";
import type { TestDb } from "../lib/testing/metadata.ts";
import type { RunningWorker } from "./start-worker.ts";
import {
  begin,
  createPlace,
  eventually,
  historyOf,
  stateOf,
  until,
  whatOf,
  workerHere,
} from "./testing/harness.ts";
import { once, twice } from "./testing/test-handlers.ts";

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

test("an operation runs, and says how it came out", async () => {
  const id = await begin(meta, once, { ms: 60 });
  const row = await until(meta, id, "succeeded");
  expect(row).toMatchObject({
    attempt: 1,
    reason: "done",
    result: { ms: 60 },
    error: null,
    leaseUntil: null,
  });
  expect(row.workerId).toBe(worker.id);
  expect(await historyOf(meta, id)).toEqual(["0 queued", "1 running", "1 succeeded"]);
  expect(await whatOf(meta, id)).toEqual(["begin", "end", "commit"]);
  const [step] = await meta.db.operationStep.findMany({ where: { operationId: id } });
  expect(step).toMatchObject({ seq: 1, name: "Work", state: "succeeded" });
});

test("a finding is failed, with its result", async () => {
  const row = await until(meta, await begin(meta, once, { end: "find" }), "failed");
  expect(row).toMatchObject({ reason: "It is not equal.", result: { equal: false } });
});

test("an error for people is shown with its remedy and without secrets", async () => {
  const id = await begin(meta, twice, { end: "fail", secret: "hunter2-hunter2" });
  const row = await until(meta, id, "failed");
  expect(row.reason).toBe("The server hung up on [redacted].");
  expect(row.error).toEqual({ message: row.reason, remedy: "Call again.", requestId: null });
  expect(await historyOf(meta, id)).toEqual(["0 queued", "1 running", "1 failed"]);
  expect(await whatOf(meta, id)).toEqual(["begin", "onEnd failed"]);
  const [step] = await meta.db.operationStep.findMany({ where: { operationId: id } });
  expect(step).toMatchObject({ state: "failed", detail: "The server hung up on [redacted]." });
});

test("any other error is shown as an id that the log knows", async () => {
  const row = await until(
    meta,
    await begin(meta, once, { end: "throw", secret: "hunter2-hunter2" }),
    "failed",
  );
  expect(row.reason).toBe("It stopped for a reason that Holdfast did not expect.");
  expect(JSON.stringify(row)).not.toContain("unexpected: ");
  expect((row.error as { requestId: string }).requestId).toMatch(/^[0-9a-f-]{36}$/);
});

test("when the end's own rows are refused the operation has failed, and nothing of them stays", async () => {
  const id = await begin(meta, once, { end: "bad-commit" });
  const row = await until(meta, id, "failed");
  expect(row.result).toBeNull();
  await eventually(async () =>
    expect(await whatOf(meta, id)).toEqual(["begin", "end", "onEnd failed", "cleanUp failed"]),
  );
});

test("no progress for the kind's time is failed with that reason", async () => {
  const id = await begin(meta, once, { end: "hang" });
  const row = await until(meta, id, "failed");
  expect(row.reason).toBe("It made no progress for 2 s.");
  expect(await whatOf(meta, id)).toEqual(["begin", "onEnd failed"]);
});

test("signs of movement are progress; at a standstill the reason says what it waits for", async () => {
  const id = await begin(meta, once, { ms: 3_000, quiet: true, end: "hang", secret: "hunter2-hunter2" });
  const row = await until(meta, id, "failed");
  expect(row.reason).toBe("It made no progress for 2 s: it waits for [redacted].");
  expect(row.progress).toBeNull();
});

test("what is left unsettled is settled by a clean-up, though no worker was lost; a success has settled it", async () => {
  const rows = async (id: string) => [
    (await stateOf(meta, id)).unsettled,
    await meta.db.operationCleanUp.count(),
  ];
  const left = 'cleanUp failed {"leaves":"a database"}';
  const failed = await begin(meta, once, { end: "fail", secret: "hunter2-hunter2", leaves: "a database" });
  await until(meta, failed, "failed");
  await eventually(async () => expect(await whatOf(meta, failed)).toEqual(["begin", "onEnd failed", left]));
  await eventually(async () => expect(await rows(failed)).toEqual([null, 0]));
  const found = await begin(meta, once, { end: "find", leaves: "a database" });
  await until(meta, found, "failed");
  await eventually(async () => expect(await whatOf(meta, found)).toEqual(["begin", "end", left]));
  await eventually(async () => expect(await rows(found)).toEqual([null, 0]));
  const good = await begin(meta, once, { leaves: "a database" });
  await until(meta, good, "succeeded");
  expect(await whatOf(meta, good)).toEqual(["begin", "end", "commit"]);
  expect(await rows(good)).toEqual([null, 0]);
});

test("a handler that is deaf to its signal does not keep the operation running", async () => {
  const id = await begin(meta, once, { end: "ignore" });
  expect((await until(meta, id, "failed")).reason).toBe("It made no progress for 2 s.");
  await eventually(async () =>
    expect(await whatOf(meta, id)).toEqual(["begin", "onEnd failed", "cleanUp failed"]),
  );
});

test("a payload of an earlier version is read with today's defaults; one of a later version has failed", async () => {
  const write = (payload: object) => ({
    tamper: (tx: Tx, id: string) => tx.operation.update({ where: { id }, data: { payload } }),
  });
  const old = await begin(meta, once, {}, write({ gone: true }));
  expect((await until(meta, old, "succeeded")).result).toEqual({ ms: 0 });
  const later = await begin(meta, once, {}, write({ ms: "soon" }));
  const row = await until(meta, later, "failed");
  expect(row.reason).toContain("cannot read what the operation asks for");
  expect(await whatOf(meta, later)).toEqual(["onEnd failed"]);
});

test("a kind that this worker does not know waits for one that does", async () => {
  const rename = (tx: Tx, id: string) => tx.operation.update({ where: { id }, data: { kind: "test.later" } });
  const id = await begin(meta, once, {}, { tamper: rename });
  await eventually(async () =>
    expect((await stateOf(meta, id)).reason).toBe("waits for a worker that can do test.later"),
  );
  expect((await stateOf(meta, id)).state).toBe("queued");
  await meta.db.operation.update({ where: { id }, data: { kind: "test.once" } });
  await until(meta, id, "succeeded");
});

test("a job that the queue lost is sent again", async () => {
  const lose = (tx: Tx, id: string) => tx.$executeRaw`DELETE FROM pgboss.job WHERE singleton_key = ${id}`;
  await until(meta, await begin(meta, once, {}, { tamper: lose }), "succeeded");
});

test("a worker that is stopped gives back what may be tried again, and interrupts the rest", async () => {
  const other = await workerHere(meta, { name: "other" });
  await worker.stop(0);
  const [again, never] = [await begin(meta, twice, { ms: 60_000 }), await begin(meta, once, { ms: 60_000 })];
  await until(meta, again, "running");
  await until(meta, never, "running");
  worker = await workerHere(meta, { name: "next" });
  await other.stop(0);
  expect((await until(meta, never, "interrupted")).reason).toBe("The worker other was stopped.");
  const row = await eventually(async () => {
    const found = await until(meta, again, "running");
    expect(found.attempt).toBe(2);
    return found;
  });
  expect(row.workerId).toBe(worker.id);
  expect(await historyOf(meta, again)).toEqual([
    "0 queued",
    "1 running",
    "1 interrupted",
    "1 queued",
    "2 running",
  ]);
  await eventually(async () =>
    expect(await whatOf(meta, again)).toEqual([
      "begin",
      "onEnd interrupted retry",
      "cleanUp interrupted",
      "begin",
    ]),
  );
});
