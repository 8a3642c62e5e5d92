import { afterAll, beforeAll, expect, test } from "vitest";
import { asSystem, systemClock } from "../context.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { listWorkers } from "./list-workers.ts";
import { heartbeatWorker, registerWorker, stopWorker } from "./worker-row.ts";

let meta: TestDb;
beforeAll(async () => {
  meta = await createTestDb();
});
afterAll(() => meta.drop());

async function add(name: string): Promise<string> {
  const id = newId();
  const abilities = {
    tools: { "pg_dump 15": "15.18" },
    sandboxes: [],
    isolation: "role",
    isolationDetail: "",
  };
  await registerWorker(meta.db, { id, name, pool: "default", host: "h", pid: 1, version: "0", abilities });
  return id;
}
const silent = (id: string, seconds: number) =>
  meta.db
    .$executeRaw`UPDATE worker SET heartbeat_at = now() - ${seconds} * interval '1 second' WHERE id = ${id}::uuid`;

test("a worker is up, lost when it falls silent, up again when it is heard, stopped when it ends; old ones go", async () => {
  const ctx = asSystem({ db: meta.db, clock: systemClock, log: createLogger("test", "silent") }, "test");
  const states = async () => (await listWorkers(ctx)).items.map(({ name, state }) => `${name} ${state}`);
  const [a, b, c, d] = [await add("a"), await add("b"), await add("c"), await add("d")];
  await silent(b, 40);
  await stopWorker(meta.db, c);
  await silent(d, 40 * 86_400);
  expect(await states()).toEqual(["a up", "b lost", "c stopped"]);
  await heartbeatWorker(meta.db, b);
  await add("e");
  expect(await states()).toEqual(["a up", "b up", "e up", "c stopped"]);
  expect(await meta.db.worker.findUnique({ where: { id: d } })).toBeNull();
  const [first] = (await listWorkers(ctx)).items;
  expect(first).toMatchObject({ id: a, running: 0, abilities: { tools: { "pg_dump 15": "15.18" } } });
});
