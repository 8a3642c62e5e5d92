import { afterAll, beforeAll, expect, test } from "vitest";
import { asSystem, systemClock } from "../context.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import type { Claim } from "./claim.ts";
import { getOperation } from "./get-operation.ts";
import { readLog } from "./read-log.ts";
import { RunRecorder } from "./run-recorder.ts";
import type { LogLine } from "./schema.ts";

let meta: TestDb;
const log = createLogger("test", "silent");
const workerId = newId();
beforeAll(async () => {
  meta = await createTestDb();
});
afterAll(() => meta.drop());

const ctx = () => asSystem({ db: meta.db, clock: systemClock, log }, "test");

async function claimed(): Promise<Claim> {
  const id = newId();
  const common = {
    rootId: id,
    kind: "test",
    title: "A test",
    pool: "default",
    attempt: 1,
    maxAttempts: 1,
    workerId,
  };
  await meta.db.operation.create({
    data: {
      ...common,
      id,
      state: "running",
      payload: {},
      actorKind: "system",
      actorName: "test",
      trigger: "system",
    },
  });
  const about = { databaseId: null, backupId: null, payload: {}, serverIdentity: null, refusal: null };
  return { ...common, ...about, operationId: id };
}

const texts = (lines: LogLine[]) => lines.map(({ line }) => line);

test("lines are kept in order, split, cleaned and redacted", async () => {
  const claim = await claimed();
  const recorder = new RunRecorder(meta.db, claim, log);
  recorder.redactor.hide(["hunter2-hunter2"]);
  for (let n = 0; n < 350; n += 1) recorder.line(`line ${n}`, "info", n < 5 ? "First" : null);
  recorder.line("two\r\nlines", "warn", null);
  recorder.line("\u001b[31mred\u001b[0m and \u0000zero, tab\tstays", "error", null);
  recorder.line("password is hunter2-hunter2", "info", null);
  recorder.line("x".repeat(5_000), "info", null);
  await recorder.close();
  recorder.line("too late", "info", null);

  const { items, nextCursor } = await readLog(ctx(), claim.operationId, { limit: 2000 });
  expect(nextCursor).toBeNull();
  expect(texts(items.slice(0, 350))).toEqual(Array.from({ length: 350 }, (_, n) => `line ${n}`));
  expect(items.slice(0, 6).map(({ step }) => step)).toEqual([
    "First",
    "First",
    "First",
    "First",
    "First",
    null,
  ]);
  expect(items.slice(350, 353).map(({ level, line }) => [level, line])).toEqual([
    ["warn", "two"],
    ["warn", "lines"],
    ["error", "red and zero, tab\tstays"],
  ]);
  expect(items[353]?.line).toBe("password is [redacted]");
  expect(items[354]?.line).toBe(`${"x".repeat(4_000)} … (1000 more characters)`);
  expect(items).toHaveLength(355);
});

test("pages go on after an id, the tail is the newest, and a search takes % and _ for what they are", async () => {
  const claim = await claimed();
  const recorder = new RunRecorder(meta.db, claim, log);
  for (const line of ["alpha", "100 % done", "Beta_1", "beta 2", "100 files"])
    recorder.line(line, "info", null);
  await recorder.close();
  const id = claim.operationId;
  const first = await readLog(ctx(), id, { limit: 2 });
  expect(texts(first.items)).toEqual(["alpha", "100 % done"]);
  const rest = await readLog(ctx(), id, { limit: 10, after: first.nextCursor ?? "" });
  expect(texts(rest.items)).toEqual(["Beta_1", "beta 2", "100 files"]);
  expect(texts((await readLog(ctx(), id, { tail: true, limit: 2 })).items)).toEqual(["beta 2", "100 files"]);
  expect(texts((await readLog(ctx(), id, { q: "BETA" })).items)).toEqual(["Beta_1", "beta 2"]);
  expect(texts((await readLog(ctx(), id, { q: "a_1" })).items)).toEqual(["Beta_1"]);
  expect(texts((await readLog(ctx(), id, { q: "0 %" })).items)).toEqual(["100 % done"]);
  await expect(readLog(ctx(), newId(), {})).rejects.toMatchObject({ code: "not_found" });
});

test("a long log keeps its beginning and its newest lines, and says how many it left out", async () => {
  const claim = await claimed();
  const bounds = { headLines: 50, headBytes: 1e6, tailLines: 40, tailBytes: 1e6 };
  const recorder = new RunRecorder(meta.db, claim, log, bounds);
  for (let round = 0; round < 30; round += 1) {
    for (let n = 0; n < 20; n += 1) recorder.line(`line ${round * 20 + n}`, "info", null);
    await recorder.flush();
  }
  await recorder.close();
  const lines = texts((await readLog(ctx(), claim.operationId, { limit: 2000 })).items);
  const gap = lines.findIndex((line) => line.includes("were left out here"));
  expect(gap).toBe(50);
  const left = Number.parseInt(lines[gap] ?? "", 10);
  expect(lines.length - 1 + left).toBe(600);
  expect(lines.length - 1 - 50).toBeGreaterThanOrEqual(40);
  expect(lines.length - 1 - 50).toBeLessThanOrEqual(80);
  expect(lines.at(-1)).toBe("line 599");
  expect(lines[gap + 1]).toBe(`line ${50 + left}`);
});

test("steps and progress are shown; nothing is written once the claim is another's", async () => {
  const claim = await claimed();
  const recorder = new RunRecorder(meta.db, claim, log);
  const step = { seq: 1, name: "Dump", detail: null, startedAt: new Date(), finishedAt: null };
  recorder.step({ ...step, state: "running" });
  recorder.progress({ label: "Dump", done: 5, total: 10, unit: "bytes" });
  await recorder.flush();
  const dto = await getOperation(ctx(), claim.operationId);
  expect(dto.steps).toMatchObject([{ seq: 1, name: "Dump", state: "running", finishedAt: null }]);
  expect(dto.progress).toEqual({ label: "Dump", done: 5, total: 10, unit: "bytes" });

  await meta.db.operation.update({ where: { id: claim.operationId }, data: { attempt: 2 } });
  recorder.step({ ...step, state: "succeeded", finishedAt: new Date() });
  recorder.line("from the first attempt", "info", null);
  await recorder.close();
  expect((await getOperation(ctx(), claim.operationId)).steps[0]?.state).toBe("running");
  expect((await readLog(ctx(), claim.operationId, {})).items).toEqual([]);
});
