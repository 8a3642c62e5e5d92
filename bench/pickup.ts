// How long after its commit an operation runs: node bench/pickup.ts [rounds]
// Prints p50 and p95 from commit to `running`, and the ratio of p95 to the limit of 250 ms.
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { asSystem, systemClock } from "../lib/context.ts";
import { openDb } from "../lib/db/client.ts";
import { ensureLogin, migrate } from "../lib/db/migrate.ts";
import { createLogger } from "../lib/logger.ts";
import { defineOperation } from "../lib/operations/definition.ts";
import type { Run } from "../lib/operations/handler.ts";
import { prepareQueues } from "../lib/operations/prepare-queues.ts";
import { startOperation } from "../lib/operations/start-operation.ts";
import { startTestPostgres } from "../lib/testing/postgres.ts";
import { startWorker } from "../worker/start-worker.ts";

const LIMIT_MS = 250;
const rounds = Number(process.argv[2] ?? 200);

const nothing = defineOperation({
  kind: "bench.nothing",
  payload: z.object({}),
  maxAttempts: 1,
  stallSeconds: 60,
  exclusive: false,
  usesServer: false,
});

/** performance.now() when the handler was called: the claim, with its state `running`, had been committed. */
const running = new Map<string, number>();
async function note(run: Run<unknown>) {
  running.set(run.operationId, performance.now());
  return { reason: "done" };
}

const server = await startTestPostgres({ settings: { fsync: "on" } });
await server.createDatabase("meta");
await migrate(server.url("meta"));
await ensureLogin(server.url("meta"), "holdfast", "bench-Password-1");
const databaseUrl = `postgresql://holdfast:bench-Password-1@127.0.0.1:${server.port}/meta`;
await prepareQueues(databaseUrl);
const log = createLogger("bench", "error");
const [web, own] = [1, 2].map((n) => openDb(databaseUrl, { max: 4, applicationName: `bench ${n}` }));
if (!web || !own) throw new Error("no database");
const worker = await startWorker({
  env: {
    HOLDFAST_POOL: "default",
    HOLDFAST_WORKER_NAME: "bench",
    HOLDFAST_CONCURRENCY: 2,
    HOLDFAST_SERVER_CONCURRENCY: 2,
    HOLDFAST_STALL_SECONDS: 900,
  },
  databaseUrl,
  db: own,
  log,
  handlers: [{ definition: nothing, run: note }],
  abilities: { tools: {}, sandboxes: [], isolation: "none", isolationDetail: "" },
  version: "bench",
});
const ctx = asSystem({ db: web, clock: systemClock, log }, "bench");

const waits: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const id = await web.$transaction((tx) =>
    startOperation(tx, ctx, nothing, { payload: {}, title: "Nothing", pool: "default", trigger: "system" }),
  );
  const committed = performance.now();
  while (!running.has(id)) await delay(1);
  waits.push(Math.max(0, (running.get(id) ?? committed) - committed));
  // Clicks come at any moment of the worker's own rhythm.
  await delay(Math.random() * 100);
}

waits.sort((a, b) => a - b);
const at = (share: number) =>
  waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? Number.NaN;
const [p50, p95] = [at(0.5), at(0.95)];
console.log(`pick-up over ${rounds} rounds: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`);
console.log(`ratio of p95 to the limit of ${LIMIT_MS} ms: ${(p95 / LIMIT_MS).toFixed(3)}`);

await worker.stop(0);
await web.$disconnect();
await own.$disconnect();
await server.stop();
process.exit(p95 <= LIMIT_MS ? 0 : 1);
