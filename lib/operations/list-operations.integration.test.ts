import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import type { OperationState } from "../db/generated/client.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { getOperation } from "./get-operation.ts";
import { listOperations } from "./list-operations.ts";
import { readLog } from "./read-log.ts";

let meta: TestDb;
const ids: string[] = [];
const STATES: OperationState[] = ["succeeded", "failed", "queued", "running"];
const BASE = Date.UTC(2026, 0, 1);

async function addDatabase(name: string, environment: string): Promise<string> {
  const id = newId();
  const env = await meta.db.environment.create({ data: { id: newId(), name: environment, position: 1 } });
  await meta.db.database.create({
    data: { id, name, engine: "postgres", application: "shop", environmentId: env.id, connection: {} },
  });
  return id;
}

beforeAll(async () => {
  meta = await createTestDb();
  const databases = [
    await addDatabase("shop-staging", "staging"),
    await addDatabase("shop-production", "production"),
  ];
  for (let n = 0; n < 40; n += 1) {
    const id = newId();
    ids.push(id);
    await meta.db.operation.create({
      data: {
        id,
        rootId: n % 10 === 1 ? (ids[n - 1] ?? id) : id,
        kind: n % 2 === 0 ? "backup.run" : "backup.verify",
        state: STATES[n % 4] ?? "queued",
        title: `Operation ${n}`,
        pool: "default",
        payload: {},
        actorKind: "user",
        actorName: n % 5 === 0 ? "Ada" : "Bo",
        trigger: "click",
        databaseId: n % 8 === 7 ? null : (databases[n % 2] ?? null),
        // Pairs share a millisecond, so that only the id tells them apart.
        createdAt: new Date(BASE + Math.floor(n / 2) * 1000),
      },
    });
  }
});
afterAll(() => meta.drop());

const ctx = (environments?: string[]): Ctx => {
  const base = { db: meta.db, clock: systemClock, log: createLogger("test", "silent") };
  if (!environments) return asSystem(base, "test");
  const scope = { environments, applications: [] };
  return { ...base, actor: { kind: "token", id: newId(), name: "t", role: "viewer", scope } };
};

async function all(query: Parameters<typeof listOperations>[1], as = ctx()): Promise<string[]> {
  const titles: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listOperations(as, { ...query, limit: 7, ...(cursor ? { cursor } : {}) });
    titles.push(...page.items.map(({ title }) => title));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  return titles;
}

const expected = (keep: (n: number) => boolean) =>
  Array.from({ length: 40 }, (_, n) => 39 - n)
    .filter(keep)
    .map((n) => `Operation ${n}`);

test.each<[Parameters<typeof listOperations>[1], (n: number) => boolean]>([
  [{}, () => true],
  [{ state: "failed" }, (n) => n % 4 === 1],
  [{ state: "active" }, (n) => n % 4 >= 2],
  [{ state: "final" }, (n) => n % 4 < 2],
  [{ kind: "backup.run" }, (n) => n % 2 === 0],
  [{ database: "shop-staging" }, (n) => n % 2 === 0],
  [{ database: "nowhere" }, () => false],
  [{ actor: "Ada" }, (n) => n % 5 === 0],
  [
    { from: new Date(BASE + 5000).toISOString(), to: new Date(BASE + 9000).toISOString() },
    (n) => n >= 10 && n < 20,
  ],
  [{ state: "active", actor: "Ada", kind: "backup.run" }, (n) => n % 4 === 2 && n % 5 === 0],
])("%j: each once, newest first, over all pages", async (query, keep) => {
  expect(await all(query)).toEqual(expected(keep));
});

test("an actor limited to an environment sees its operations, and nothing of others", async () => {
  const limited = ctx(["staging"]);
  expect(await all({}, limited)).toEqual(expected((n) => n % 2 === 0));
  expect((await getOperation(limited, ids[0] ?? "")).database).toBe("shop-staging");
  for (const hidden of [ids[1] ?? "", ids[7] ?? "", newId(), "nonsense"]) {
    await expect(getOperation(limited, hidden)).rejects.toMatchObject({ code: "not_found" });
    await expect(readLog(limited, hidden, {})).rejects.toMatchObject({ code: "not_found" });
  }
});

test("one operation tells of its relatives, and whether this actor may cancel it", async () => {
  const dto = await getOperation(ctx(), ids[2] ?? "");
  expect(dto).toMatchObject({
    title: "Operation 2",
    cancellable: true,
    related: [],
    result: null,
    error: null,
  });
  expect((await getOperation(ctx(["staging"]), ids[2] ?? "")).cancellable).toBe(false);
  expect((await getOperation(ctx(), ids[10] ?? "")).related.map(({ title }) => title)).toEqual([
    "Operation 11",
  ]);
});

test("a cursor that is not ours is refused", async () => {
  await expect(listOperations(ctx(), { cursor: "nonsense" })).rejects.toMatchObject({ code: "invalid" });
});
