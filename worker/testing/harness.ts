import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once as onceEvent } from "node:events";
import path from "node:path";
import { Client } from "pg";
import { expect, vi } from "vitest";
import type { z } from "zod";
import type { Ctx } from "../../lib/context.ts";
import { asSystem, systemClock } from "../../lib/context.ts";
import type { Db, Tx } from "../../lib/db/client.ts";
import type { OperationState } from "../../lib/db/generated/client.ts";
import { newId } from "../../lib/ids.ts";
import { createLogger } from "../../lib/logger.ts";
import type { OperationDefinition } from "../../lib/operations/definition.ts";
import { startOperation } from "../../lib/operations/start-operation.ts";
import type { TestDb } from "../../lib/testing/metadata.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";
import type { RunningWorker } from "../start-worker.ts";
import { startWorker } from "../start-worker.ts";
import { createTraces, testHandlers, tracesOf } from "./test-handlers.ts";
import { testTimes } from "./test-times.ts";

export interface Place {
  db: Db;
  url: string;
  ownerUrl: string;
}

/** Longest wait of a test for what has to happen; it is over as soon as it does. */
const PATIENCE = { timeout: 30_000, interval: 25 };

export async function prepareTraces(place: Place): Promise<void> {
  const owner = new Client({ connectionString: place.ownerUrl });
  await owner.connect();
  await createTraces((text) => owner.query(text));
  await owner.end();
}

/** An own metadata database on the run's server, with the table of what handlers did. */
export async function createPlace(): Promise<TestDb> {
  const place = await createTestDb();
  await prepareTraces(place);
  return place;
}

/** What handlers did for an operation, oldest first. */
export async function whatOf(place: Place, operationId: string): Promise<string[]> {
  return (await tracesOf(place.db, operationId)).map(({ what }) => what);
}

export function ctxOf(place: Place): Ctx {
  return asSystem({ db: place.db, clock: systemClock, log: createLogger("test", "error") }, "test");
}

export async function begin<P extends z.ZodType>(
  place: Place,
  definition: OperationDefinition<P>,
  payload: z.input<P>,
  more: {
    databaseId?: string;
    title?: string;
    pool?: string;
    /** In the transaction that starts it. */
    tamper?: (tx: Tx, id: string) => Promise<unknown>;
  } = {},
): Promise<string> {
  const { title = "A test", pool = "default", databaseId = null } = more;
  return await place.db.$transaction(async (tx) => {
    const input = { payload, title, pool, trigger: "click", databaseId } as const;
    const id = await startOperation(tx, ctxOf(place), definition, input);
    await more.tamper?.(tx, id);
    return id;
  });
}

/** A registered database of its own; `server` is the identity of its server. */
export async function addDatabase(place: Place, server: string | null, name = newId()): Promise<string> {
  const id = newId();
  const environment = await place.db.environment.upsert({
    where: { name: "test" },
    create: { id: newId(), name: "test", position: 1 },
    update: {},
  });
  await place.db.database.create({
    data: {
      id,
      name: `db-${id}`,
      engine: "postgres",
      application: "test",
      environmentId: environment.id,
      connection: { host: "db", port: 5432, database: name, user: "me", tls: "disable" },
      serverIdentity: server,
    },
  });
  return id;
}

export async function workerHere(
  place: Place,
  options: { concurrency?: number; name?: string } = {},
): Promise<RunningWorker> {
  return await startWorker({
    env: {
      HOLDFAST_POOL: "default",
      HOLDFAST_WORKER_NAME: options.name ?? "here",
      HOLDFAST_CONCURRENCY: options.concurrency ?? 4,
      HOLDFAST_SERVER_CONCURRENCY: 2,
      HOLDFAST_STALL_SECONDS: 900,
    },
    databaseUrl: place.url,
    db: place.db,
    log: createLogger("test", "silent"),
    handlers: testHandlers,
    abilities: { tools: {}, sandboxes: [], isolation: "none", isolationDetail: "test" },
    version: "test",
    ...testTimes(),
  });
}

/** A worker in a process of its own; it can be killed. */
export async function spawnWorker(
  place: Place,
  name: string,
  options: { concurrency?: number; leaseMs?: number } = {},
): Promise<ChildProcess> {
  const settings = {
    databaseUrl: place.url,
    name,
    concurrency: options.concurrency ?? 4,
    leaseMs: options.leaseMs ?? 3_000,
  };
  const child = fork(path.join(import.meta.dirname, "test-worker.ts"), [JSON.stringify(settings)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await onceEvent(child, "message");
  return child;
}

export async function endWorker(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = onceEvent(child, "exit");
  child.kill(signal);
  await gone;
}

export async function stateOf(place: Place, id: string) {
  return await place.db.operation.findUniqueOrThrow({ where: { id } });
}

export async function until(place: Place, id: string, ...states: OperationState[]) {
  return await vi.waitFor(async () => {
    const row = await stateOf(place, id);
    expect(states, `${row.state}: ${row.reason}`).toContain(row.state);
    return row;
  }, PATIENCE);
}

export async function eventually<T>(check: () => Promise<T> | T): Promise<T> {
  return await vi.waitFor(check, PATIENCE);
}

/** "attempt state: reason" of every change, oldest first. */
export async function historyOf(place: Place, id: string): Promise<string[]> {
  const rows = await place.db.operationTransition.findMany({
    where: { operationId: id },
    orderBy: { id: "asc" },
  });
  return rows.map(({ attempt, state }) => `${attempt} ${state}`);
}
