// Makes the sample company on the running embedded install: by npm start -- --demo, or anew by npm run demo:reset.
import { parseArgs } from "node:util";
import type { Ctx } from "../lib/context.ts";
import { systemClock } from "../lib/context.ts";
import { openDb } from "../lib/db/client.ts";
import { setUpDemo, waitForProofs } from "../lib/demo/set-up.ts";
import { HoldfastError } from "../lib/errors.ts";
import { createLogger } from "../lib/logger.ts";
import { explain } from "../lib/start/explain.ts";
import { findDataFolder } from "../lib/start/find-install.ts";
import { onParentGone } from "../lib/start/parent-pipe.ts";
import { findRunning } from "../lib/start/run-file.ts";
import { complain, say, step } from "./progress.mjs";

const PROOF_TIMEOUT_MS = 5 * 60_000;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { reset: { type: "boolean", default: false } } });
  const dataFolder = await findDataFolder(process.env);
  const running = findRunning(dataFolder);
  if (!running) {
    throw new HoldfastError("unavailable", `No Holdfast runs here on the data folder ${dataFolder}.`, {
      remedy: "Start it with: npm start -- --demo",
    });
  }
  // The verbs take their keys from the settings of the process.
  Object.assign(process.env, { DATABASE_URL: running.databaseUrl, HOLDFAST_KEYS: running.keys });
  const db = openDb(running.databaseUrl, { max: 3, applicationName: "holdfast demo" });
  const log = createLogger("demo", "error");
  const ctx: Ctx = { actor: { kind: "system", name: "demo" }, db, clock: systemClock, log };
  try {
    const { ownerDatabaseUrl: ownerUrl } = running;
    const made = await step("Demo", (progress) =>
      setUpDemo(ctx, { ownerUrl, dataFolder, reset: values.reset, progress }),
    );
    if (!made) {
      say("The demo is there already; npm run demo:reset makes it anew.");
      return 0;
    }
    const outcomes = await step("Demo: backing up and proving", (progress) =>
      waitForProofs(ctx, { progress, timeoutMs: PROOF_TIMEOUT_MS }),
    );
    say(`Demo: ${outcomes.map(({ name, outcome }) => `${name} ${outcome}`).join(", ")}`);
    return outcomes.every(({ outcome }) => outcome === "proven") ? 0 : 1;
  } finally {
    await db.$disconnect();
  }
}

onParentGone(() => process.exit(1));
try {
  process.exit(await main());
} catch (error) {
  complain(explain(error));
  process.exit(1);
}
