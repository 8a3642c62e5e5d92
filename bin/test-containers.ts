// npm run test:containers: builds the image and takes the compose file through the main journey and its faults, with
// docker or podman. Where the engine is needs of its own, docs/deploy.md says which settings there are.
import { randomBytes } from "node:crypto";
import { messageOf } from "../lib/errors.ts";
import { freePort } from "../lib/testing/postgres.ts";
import { endChecks } from "./containers/end-checks.ts";
import type { ContainerEngine } from "./containers/engine.ts";
import { findEngine } from "./containers/engine.ts";
import { faultChecks } from "./containers/fault-checks.ts";
import { imageChecks } from "./containers/image-checks.ts";
import { journeyChecks } from "./containers/journey-checks.ts";
import { composeProject, driveHealthChecks } from "./containers/project.ts";
import type { Check, Stage } from "./containers/stage.ts";
import { keepLogs } from "./containers/stage.ts";
import { startChecks } from "./containers/start-checks.ts";
import { complain, say } from "./progress.mjs";

const IMAGE = "holdfast:test";
const CHECKS = [...imageChecks, ...startChecks, ...journeyChecks, ...faultChecks, ...endChecks];

async function makeStage(engine: ContainerEngine): Promise<Stage> {
  const secret = () => randomBytes(16).toString("hex");
  const [own, source, account] = [secret(), secret(), secret()];
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const project = composeProject(engine, {
    HOLDFAST_IMAGE: IMAGE,
    HOLDFAST_DB_PASSWORD: own,
    SOURCE_PASSWORD: source,
    HOLDFAST_PORT: String(port),
    HOLDFAST_URL: url,
  });
  const secrets = new Map([
    ["password of Holdfast's own database", own],
    ["password of the source", source],
    ["password of the first account", account],
  ]);
  return { project, image: IMAGE, url, secrets, logs: [], console: null, backupId: null };
}

/** Runs one check and says how it went; true when it passed. */
async function passes(check: Check, stage: Stage): Promise<boolean> {
  const from = Date.now();
  const took = () => `${((Date.now() - from) / 1000).toFixed(1)} s`;
  try {
    const detail = await check.run(stage);
    say(`✓ ${check.name}${detail ? `: ${detail}` : ""} (${took()})`);
    return true;
  } catch (error) {
    complain(`✗ ${check.name} (${took()})\n  ${messageOf(error).replaceAll("\n", "\n  ")}`);
    return false;
  }
}

async function runAll(stage: Stage): Promise<{ passed: number; failed: number }> {
  const tally = { passed: 0, failed: 0 };
  for (const [index, check] of CHECKS.entries()) {
    if (await passes(check, stage)) {
      tally.passed += 1;
      continue;
    }
    tally.failed += 1;
    if (!check.essential) continue;
    const rest = CHECKS.slice(index + 1);
    for (const { name } of rest) complain(`✗ ${name}: not reached`);
    tally.failed += rest.length;
    break;
  }
  return tally;
}

const engine = await findEngine();
if (!engine) {
  complain(
    "Neither docker nor podman can run a compose file here; on Debian as root: apt-get install podman netavark aardvark-dns catatonit docker-compose",
  );
  process.exit(1);
}
say(`with ${engine.name} and ${engine.compose.join(" ")}`);
const stage = await makeStage(engine);
const over = new AbortController();
const health = engine.runsHealthChecks ? null : driveHealthChecks(stage.project, over.signal);
let ended = false;
const end = async () => {
  if (ended) return;
  ended = true;
  over.abort();
  await health;
  await stage.project.compose(["down", "-v"]).catch((error: unknown) => complain(messageOf(error)));
  await engine.close();
};
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void end().then(() => process.exit(130)));
}
const { passed, failed } = await runAll(stage);
if (failed > 0 && !ended) {
  await keepLogs(stage).catch(() => undefined);
  if (stage.logs.join("").includes(" | ")) complain(stage.logs.join("\n").split("\n").slice(-200).join("\n"));
}
await end();
say(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
