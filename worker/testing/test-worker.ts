// A worker process for tests: the real machinery, test handlers, short times.
import { openDb } from "../../lib/db/client.ts";
import { createLogger } from "../../lib/logger.ts";
import { startWorker } from "../start-worker.ts";
import { testHandlers } from "./test-handlers.ts";
import { testTimes } from "./test-times.ts";

const { databaseUrl, name, concurrency, leaseMs } = JSON.parse(process.argv[2] ?? "{}") as {
  databaseUrl: string;
  name: string;
  concurrency: number;
  leaseMs: number;
};
const db = openDb(databaseUrl, { max: 4, applicationName: `test ${name}` });
const worker = await startWorker({
  env: {
    HOLDFAST_POOL: "default",
    HOLDFAST_WORKER_NAME: name,
    HOLDFAST_CONCURRENCY: concurrency,
    HOLDFAST_SERVER_CONCURRENCY: 2,
    HOLDFAST_STALL_SECONDS: 900,
  },
  databaseUrl,
  db,
  log: createLogger(name, "fatal"),
  handlers: testHandlers,
  abilities: { tools: {}, sandboxes: [], isolation: "none", isolationDetail: "test" },
  version: "test",
  ...testTimes(leaseMs),
});
process.on("SIGTERM", () => {
  void worker.stop(0).then(async () => {
    await db.$disconnect();
    process.exit(0);
  });
});
process.send?.("up");
