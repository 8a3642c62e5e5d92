import type { ChildProcess } from "node:child_process";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createLogger } from "../lib/logger.ts";
import { endWithoutHandler } from "../lib/operations/end.ts";
import { startReconciler } from "../lib/operations/reconciler.ts";
import type { TestDb } from "../lib/testing/metadata.ts";
import {
  addDatabase,
  begin,
  createPlace,
  ctxOf,
  endWorker,
  eventually,
  historyOf,
  spawnWorker,
  stateOf,
  until,
  whatOf,
} from "./testing/harness.ts";
import { exclusive, once, tracesOf, twice } from "./testing/test-handlers.ts";
import { testTimes } from "./testing/test-times.ts";

let meta: TestDb;
let workers: ChildProcess[] = [];
const spawn = async (
  ...options: Parameters<typeof spawnWorker> extends [unknown, ...infer R] ? R : never
) => {
  const child = await spawnWorker(meta, ...options);
  workers.push(child);
  return child;
};
beforeAll(async () => {
  meta = await createPlace();
});
afterEach(async () => {
  await Promise.all(workers.map((child) => endWorker(child)));
  workers = [];
});
afterAll(() => meta.drop());

test("two workers never run the same operation twice, and share the work", async () => {
  await Promise.all([spawn("left", { concurrency: 3 }), spawn("right", { concurrency: 3 })]);
  const ids: string[] = [];
  for (let n = 0; n < 120; n += 1) ids.push(await begin(meta, once, { ms: 60 }));
  for (const id of ids) await until(meta, id, "succeeded");
  const traces = (await tracesOf(meta.db)).filter(({ operation_id }) => ids.includes(operation_id));
  const begun = traces.filter(({ what }) => what === "begin");
  expect(begun).toHaveLength(ids.length);
  expect(new Set(begun.map(({ operation_id }) => operation_id)).size).toBe(ids.length);
  expect(new Set(begun.map(({ pid }) => pid))).toEqual(new Set(workers.map(({ pid }) => pid)));
  for (const { pid } of workers) {
    const most = mostAtOnce(traces.filter((trace) => trace.pid === pid));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  }
});

function mostAtOnce(traces: { what: string }[]): number {
  let now = 0;
  let most = 0;
  for (const { what } of traces) {
    if (what === "begin") now += 1;
    if (what === "commit") now -= 1;
    most = Math.max(most, now);
  }
  return most;
}

test("a killed worker: what may be tried again is, once; the rest is interrupted; its slots are free again", async () => {
  const doomed = await spawn("doomed");
  const databaseId = await addDatabase(meta, "srv", "shop");
  const [again, never, slot] = [
    await begin(meta, twice, { ms: 1_500 }),
    await begin(meta, once, { ms: 60_000 }),
    await begin(meta, exclusive, { ms: 60_000 }, { databaseId }),
  ];
  for (const id of [again, never, slot]) await until(meta, id, "running");
  const waiting = await begin(meta, exclusive, { ms: 10 }, { databaseId });
  await eventually(async () => expect((await stateOf(meta, waiting)).waitsFor).toBe("database:srv/shop"));
  await eventually(async () =>
    expect(await meta.db.operationStep.count({ where: { operationId: again } })).toBe(1),
  );
  await endWorker(doomed, "SIGKILL");
  await spawn("heir");

  const reason = "The worker doomed was lost: it stopped renewing its claim.";
  expect((await until(meta, never, "interrupted")).reason).toBe(reason);
  expect((await until(meta, slot, "interrupted")).reason).toBe(reason);
  await until(meta, waiting, "succeeded");
  await until(meta, again, "succeeded");
  expect(await historyOf(meta, again)).toEqual([
    "0 queued",
    "1 running",
    "1 interrupted",
    "1 queued",
    "2 running",
    "2 succeeded",
  ]);
  expect(await whatOf(meta, again)).toEqual([
    "begin",
    "onEnd interrupted retry",
    "cleanUp interrupted",
    "begin",
    "end",
    "commit",
  ]);
  await eventually(async () =>
    expect(await whatOf(meta, never)).toEqual(["begin", "onEnd interrupted", "cleanUp interrupted"]),
  );
  const steps = await meta.db.operationStep.findMany({
    where: { operationId: again },
    orderBy: { attempt: "asc" },
  });
  expect(steps.map(({ attempt, state }) => [attempt, state])).toEqual([
    [1, "interrupted"],
    [2, "succeeded"],
  ]);
  expect(await meta.db.slot.count()).toBe(0);
});

test("killed again in its second attempt, it is interrupted for good", async () => {
  const id = await begin(meta, twice, { ms: 60_000 });
  for (const attempt of [1, 2]) {
    const child = await spawn(`victim-${attempt}`);
    await eventually(async () =>
      expect(await stateOf(meta, id)).toMatchObject({ state: "running", attempt }),
    );
    await endWorker(child, "SIGKILL");
  }
  await spawn("witness");
  await until(meta, id, "interrupted");
  expect((await historyOf(meta, id)).at(-1)).toBe("2 interrupted");
});

test("a worker that was stopped from running loses its claim, writes nothing more, and says so", async () => {
  const frozen = await spawn("frozen");
  const id = await begin(meta, twice, { ms: 4_000 });
  await until(meta, id, "running");
  frozen.kill("SIGSTOP");
  await spawn("heir-2");
  await eventually(async () =>
    expect(await stateOf(meta, id)).toMatchObject({ state: "running", attempt: 2 }),
  );
  frozen.kill("SIGCONT");
  await until(meta, id, "succeeded");
  expect((await whatOf(meta, id)).filter((what) => what === "commit")).toHaveLength(1);
  const second = (await tracesOf(meta.db, id)).filter(({ what }) => what === "end" || what === "commit");
  expect(second.every(({ attempt, pid }) => attempt === 2 && pid !== frozen.pid)).toBe(true);
});

test("an attempt that was taken from a worker has ended before the same worker begins the next one", async () => {
  await spawn("paused");
  const id = await begin(meta, twice, { ms: 1_500 });
  await eventually(async () => expect(await whatOf(meta, id)).toEqual(["begin"]));
  // As after a pause of the whole machine: nobody renewed, and the one who held it runs on.
  await meta.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM operation WHERE id = ${id}::uuid FOR UPDATE`;
    const row = await tx.operation.findUniqueOrThrow({ where: { id } });
    await endWithoutHandler(tx, row, { state: "interrupted", reason: "a pause", retry: true }, null);
  });
  await until(meta, id, "succeeded");
  const traces = await tracesOf(meta.db, id);
  expect(traces.map(({ what, attempt }) => `${attempt} ${what}`)).toEqual([
    "1 begin",
    "1 onEnd interrupted retry",
    "1 cleanUp interrupted",
    "2 begin",
    "2 end",
    "2 commit",
  ]);
});

test("with no worker left, the web process alone says what happened; the next worker tells the rows", async () => {
  const last = await spawn("last");
  const id = await begin(meta, once, { ms: 60_000 });
  await eventually(async () => expect(await whatOf(meta, id)).toEqual(["begin"]));
  await endWorker(last, "SIGKILL");
  const { db, log } = ctxOf(meta);
  const web = startReconciler({ db, log, handlerOf: null, ...testTimes().reconciler });
  await until(meta, id, "interrupted");
  await web.stop();
  expect(await whatOf(meta, id)).toEqual(["begin"]);
  await spawn("late");
  await eventually(async () =>
    expect(await whatOf(meta, id)).toEqual(["begin", "onEnd interrupted", "cleanUp interrupted"]),
  );
});

test("of several reconcilers each lost operation is ended once", async () => {
  const last = await spawn("last-2");
  const ids = await Promise.all(Array.from({ length: 4 }, () => begin(meta, once, { ms: 60_000 })));
  for (const id of ids) await until(meta, id, "running");
  await endWorker(last, "SIGKILL");
  const log = createLogger("test", "silent");
  const many = Array.from({ length: 4 }, () =>
    startReconciler({ db: meta.db, log, handlerOf: null, ...testTimes().reconciler, everyMs: 20 }),
  );
  for (const id of ids) await until(meta, id, "interrupted");
  await Promise.all(many.map((one) => one.stop()));
  for (const id of ids) expect(await historyOf(meta, id)).toEqual(["0 queued", "1 running", "1 interrupted"]);
});
