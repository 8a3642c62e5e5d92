// A worker with this version's real handlers in a process of its own, with short times: it can be killed.
import { startChores } from "../../../worker/chores.ts";
import { handlers } from "../../../worker/register-handlers.ts";
import { startWorker } from "../../../worker/start-worker.ts";
import { sweep } from "../../../worker/sweep.ts";
import { testTimes } from "../../../worker/testing/test-times.ts";
import { systemClock } from "../../context.ts";
import { openDb } from "../../db/client.ts";
import { createLogger } from "../../logger.ts";

const SWEEP_MS = 1_000;

const [databaseUrl = "", name = "", leaseMs = ""] = process.argv.slice(2);
const db = openDb(databaseUrl, { max: 4, applicationName: `test worker ${name}` });
const log = createLogger("test", "silent");
setInterval(() => void sweep(log), SWEEP_MS);
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
  log,
  handlers,
  abilities: { tools: {}, sandboxes: [], isolation: "none", isolationDetail: "test" },
  version: "test",
  // A claim that is lost because the machine is busy would be tried again once, and then no more.
  ...testTimes(Number(leaseMs)),
});
startChores({ db, log, clock: systemClock }, 250);
process.send?.("ready");
