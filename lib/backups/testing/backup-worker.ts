// A worker with this version's real handlers in a process of its own, with short times: it can be killed.
import { handlers } from "../../../worker/register-handlers.ts";
import { startWorker } from "../../../worker/start-worker.ts";
import { testTimes } from "../../../worker/testing/test-times.ts";
import { openDb } from "../../db/client.ts";
import { createLogger } from "../../logger.ts";

const [databaseUrl = "", name = ""] = process.argv.slice(2);
const db = openDb(databaseUrl, { max: 4, applicationName: `test worker ${name}` });
await startWorker({
  env: {
    HOLDFAST_POOL: "default",
    HOLDFAST_WORKER_NAME: name,
    HOLDFAST_CONCURRENCY: 2,
    HOLDFAST_SERVER_CONCURRENCY: 4,
    HOLDFAST_STALL_SECONDS: 900,
  },
  databaseUrl,
  db,
  log: createLogger("test", "silent"),
  handlers,
  abilities: { tools: {}, sandboxes: [], isolation: "none", isolationDetail: "test" },
  version: "test",
  ...testTimes(),
});
process.send?.("ready");
