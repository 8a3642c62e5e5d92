import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { appendLinks } from "../audit/chain.ts";
import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { newId } from "../ids.ts";
import { createLogger } from "../logger.ts";
import { LOG_CHANNEL } from "../operations/channels.ts";
import { streamLog } from "../operations/stream-log.ts";
import type { TestDb } from "../testing/metadata.ts";
import { createTestDb } from "../testing/metadata.ts";
import { emitEvent } from "./emit.ts";
import { EventHub } from "./hub.ts";
import { topics } from "./schema.ts";
import { streamEvents } from "./stream-events.ts";

const PATIENCE = { timeout: 20_000, interval: 20 };
const log = createLogger("test", "silent");
let meta: TestDb;
let hub: EventHub;
beforeAll(async () => {
  meta = await createTestDb();
  // What arrives within the test's patience comes by NOTIFY, not by looking.
  hub = new EventHub({ db: meta.db, log, connectionString: meta.url, pollMs: 600_000 });
});
afterAll(async () => {
  await hub.stop();
  await meta.drop();
});

const ctx = (environments: string[] = []): Ctx => {
  const base = { db: meta.db, clock: systemClock, log };
  const scope = { environments, applications: [] };
  return { ...base, actor: { kind: "token", id: newId(), name: "t", role: "viewer", scope } };
};

interface Message {
  id: string | null;
  event: string | null;
  data: { topic?: string; objectId?: string | null; line?: string; state?: string };
}

/** Reads a stream as a browser does. */
function follow(response: Response) {
  const messages: Message[] = [];
  const seen = { comments: 0, ended: false };
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const read = async () => {
    let text = "";
    for (;;) {
      const part = await reader?.read().catch(() => undefined);
      if (!part || part.done) break;
      const blocks = (text + part.value).split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
        const data = field("data");
        if (block.startsWith(":")) seen.comments += 1;
        if (data !== null) messages.push({ id: field("id"), event: field("event"), data: JSON.parse(data) });
      }
    }
    seen.ended = true;
  };
  void read();
  return { messages, seen, cancel: () => reader?.cancel() };
}

function open(
  options: { lastEventId?: string | null; as?: Ctx; heartbeatMs?: number; allowed?: () => boolean } = {},
) {
  const stop = new AbortController();
  const response = streamEvents(options.as ?? ctx(), hub, {
    signal: stop.signal,
    lastEventId: options.lastEventId ?? null,
    stillAllowed: async () => options.allowed?.() ?? true,
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });
  return { ...follow(response), response, stop };
}

const emit = (topic: "operations" | "backups", objectId?: string) =>
  meta.db.$transaction((tx) => emitEvent(tx, topic, objectId));
const subscribed = (count: number) => vi.waitFor(() => expect(hub.subscribers).toBe(count), PATIENCE);
const objects = (messages: Message[]) => messages.map(({ data }) => data.objectId);

test("a change reaches every client when it is committed, and a client that goes away is forgotten", async () => {
  const [a, b] = [open(), open()];
  expect(a.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(a.response.headers.get("x-accel-buffering")).toBe("no");
  await subscribed(2);
  await emit("operations", "one");
  for (const { messages } of [a, b]) {
    await vi.waitFor(
      () => expect(messages).toMatchObject([{ data: { topic: "operations", objectId: "one" } }]),
      PATIENCE,
    );
  }
  a.stop.abort();
  await b.cancel();
  await subscribed(0);
});

test("a client that comes back gets what it has missed, once, and nothing twice", async () => {
  const first = open();
  await subscribed(1);
  await emit("backups", "seen");
  await vi.waitFor(() => expect(objects(first.messages)).toEqual(["seen"]), PATIENCE);
  const lastEventId = first.messages.at(-1)?.id;
  first.stop.abort();
  await subscribed(0);
  for (const name of ["missed-1", "missed-2", "missed-1"]) await emit("backups", name);
  const again = open({ lastEventId: lastEventId ?? null });
  await vi.waitFor(() => expect(objects(again.messages).sort()).toEqual(["missed-1", "missed-2"]), PATIENCE);
  again.stop.abort();
  await subscribed(0);
});

test("an id that commits after a later one is not lost, not even to a client that comes back in between", async () => {
  const client = open();
  await subscribed(1);
  const slow = new Client({ connectionString: meta.ownerUrl });
  await slow.connect();
  await slow.query("BEGIN");
  await slow.query("INSERT INTO live_event (topic, object_id) VALUES ('backups', 'slow')");
  await emit("operations", "quick");
  await vi.waitFor(() => expect(objects(client.messages)).toEqual(["quick"]), PATIENCE);
  const lastEventId = client.messages.findLast(({ id }) => id !== null)?.id ?? "0";
  await slow.query("SELECT pg_notify('holdfast_events', '')");
  await slow.query("COMMIT");
  await slow.end();
  await vi.waitFor(() => expect(objects(client.messages)).toEqual(["quick", "slow"]), PATIENCE);
  client.stop.abort();
  await subscribed(0);
  const again = open({ lastEventId });
  await vi.waitFor(() => expect(objects(again.messages)).toContain("slow"), PATIENCE);
  again.stop.abort();
  await subscribed(0);
});

test("when it can no longer be told what was missed, everything counts as changed", async () => {
  for (const lastEventId of ["999999999", "nonsense"]) {
    const client = open({ lastEventId });
    await vi.waitFor(() => expect(client.messages).toHaveLength(topics.length), PATIENCE);
    expect(new Set(objects(client.messages))).toEqual(new Set([null]));
    client.stop.abort();
    await subscribed(0);
  }
});

test("a client that does not read costs no more than everything once", async () => {
  const stop = new AbortController();
  const response = streamEvents(ctx(), hub, {
    signal: stop.signal,
    lastEventId: null,
    stillAllowed: async () => true,
  });
  // It takes the beginning and then nothing more.
  const reader = response.body?.getReader();
  await reader?.read();
  reader?.releaseLock();
  await subscribed(1);
  for (let n = 0; n < 3; n += 1) {
    await meta.db.$executeRaw`INSERT INTO live_event (topic, object_id)
      SELECT 'operations', ${`burst-${n}-`} || g FROM generate_series(1, 400) g`;
    await emit("backups", `last-${n}`);
  }
  const watcher = open();
  await subscribed(2);
  await emit("backups", "after");
  await vi.waitFor(() => expect(objects(watcher.messages)).toContain("after"), PATIENCE);
  const late = follow(response);
  await vi.waitFor(
    () => expect(late.messages.some(({ data }) => data.topic === "audit")).toBe(true),
    PATIENCE,
  );
  expect(late.messages.length).toBeLessThan(1_100);
  stop.abort();
  watcher.stop.abort();
  await subscribed(0);
});

test("limited actors hear what kind of thing has changed, not which", async () => {
  const client = open({ as: ctx(["staging"]) });
  await subscribed(1);
  await emit("operations", "hidden");
  await vi.waitFor(() => expect(objects(client.messages)).toEqual([null]), PATIENCE);
  client.stop.abort();
  await subscribed(0);
});

test("heartbeats go on while the session lives, and the stream ends with it", async () => {
  let allowed = true;
  const client = open({ heartbeatMs: 30, allowed: () => allowed });
  await vi.waitFor(() => expect(client.seen.comments).toBeGreaterThan(2), PATIENCE);
  allowed = false;
  await vi.waitFor(() => expect(client.seen.ended).toBe(true), PATIENCE);
  await subscribed(0);
});

test("the connection that listens comes back after it was cut, and nothing is missed", async () => {
  const client = open();
  await subscribed(1);
  const admin = new Client({ connectionString: meta.ownerUrl });
  await admin.connect();
  const cut = () =>
    admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdfast events' AND datname = current_database()",
    );
  expect((await cut()).rowCount).toBe(1);
  await emit("operations", "during");
  await vi.waitFor(() => expect(objects(client.messages)).toContain("during"), PATIENCE);
  await emit("operations", "afterwards");
  await vi.waitFor(() => expect(objects(client.messages)).toContain("afterwards"), PATIENCE);
  await admin.end();
  client.stop.abort();
  await subscribed(0);
});

test("a log is streamed as it grows, resumes after a line, and ends with the operation", async () => {
  const id = newId();
  const system = asSystem({ db: meta.db, clock: systemClock, log }, "test");
  await meta.db.operation.create({
    data: {
      id,
      rootId: id,
      kind: "test",
      state: "running",
      title: "A test",
      pool: "default",
      payload: {},
      actorKind: "system",
      actorName: "test",
      trigger: "system",
    },
  });
  const write = (...lines: string[]) =>
    meta.db.$transaction(async (tx) => {
      const common = { operationId: id, attempt: 1, level: "info", at: new Date() };
      await tx.operationLog.createMany({ data: lines.map((line) => ({ ...common, line })) });
      await tx.$executeRaw`SELECT pg_notify(${LOG_CHANNEL}, ${id})`;
    });
  const openLog = async (lastEventId: string | null) => {
    const stop = new AbortController();
    const options = { signal: stop.signal, lastEventId, stillAllowed: async () => true };
    return { ...follow(await streamLog(system, id, hub.operationNews, options)), stop };
  };
  const lines = (messages: Message[]) => messages.flatMap(({ data }) => data.line ?? []);
  await write(...Array.from({ length: 1200 }, (_, n) => `line ${n}`));
  const live = await openLog(null);
  await vi.waitFor(() => expect(lines(live.messages)).toHaveLength(1200), PATIENCE);
  await write("and one more");
  await vi.waitFor(() => expect(lines(live.messages).at(-1)).toBe("and one more"), PATIENCE);
  live.stop.abort();
  const resumed = await openLog(live.messages[1198]?.id ?? null);
  await vi.waitFor(() => expect(lines(resumed.messages)).toEqual(["line 1199", "and one more"]), PATIENCE);
  await meta.db.operation.update({ where: { id }, data: { state: "succeeded" } });
  await write("the last");
  await vi.waitFor(() => expect(resumed.seen.ended).toBe(true), PATIENCE);
  expect(lines(resumed.messages).at(-1)).toBe("the last");
  expect(resumed.messages.at(-1)).toMatchObject({ event: "end", data: { state: "succeeded" } });
});

test("an audit event reaches open lists with its change, a burst of them as one, and again when it is linked", async () => {
  const { messages, seen, stop } = open();
  const system = asSystem({ db: meta.db, clock: systemClock, log }, "test");
  const audit = (tx: Tx) => emitAudit(tx, system, { action: "test.write", object: { kind: "test" } });
  await expect.poll(() => hub.subscribers, PATIENCE).toBeGreaterThan(0);
  const undone = meta.db.$transaction(async (tx) => {
    await audit(tx);
    throw new Error("undone");
  });
  await expect(undone).rejects.toThrow("undone");
  await meta.db.$transaction(async (tx) => {
    for (let count = 0; count < 50; count += 1) await audit(tx);
  });
  const heard = () => messages.filter(({ data }) => data.topic === "audit");
  await expect.poll(() => heard().length, PATIENCE).toBe(1);
  expect(heard()).toEqual([expect.objectContaining({ data: { topic: "audit", objectId: null } })]);
  await expect.poll(() => appendLinks(meta.db, randomBytes(32)), PATIENCE).toBeGreaterThan(0);
  await expect.poll(() => heard().length, PATIENCE).toBeGreaterThan(1);
  stop.abort();
  await expect.poll(() => seen.ended, PATIENCE).toBe(true);
});
