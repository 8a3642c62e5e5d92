// npm run test:containers: builds the image and takes the compose file through the main journey, with docker or podman.
// HOLDFAST_BUILD_ARGS ("PGDG= NODE_EXTRA_CA_CERTS=/etc/…") and HOLDFAST_BUILD_FLAGS go to the build, POSTGRES_IMAGE to compose.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../lib/testing/postgres.ts";
import type { ContainerEngine } from "./containers/engine.ts";
import { findEngine, run } from "./containers/engine.ts";
import { complain, say, step } from "./progress.mjs";

const IMAGE = "holdfast:test";
const READY_MS = 180_000;
const TABLE = "CREATE TABLE item AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 20000) n;";

const words = (name: string) => (process.env[name] ?? "").split(/\s+/).filter((word) => word !== "");

async function waitReady(url: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  let last = "no answer";
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`${url}/api/readyz`, { signal: AbortSignal.timeout(4000) });
      last = await response.text();
      if (response.ok) return;
    } catch {
      // Not up yet.
    }
    await delay(1000);
  }
  throw new Error(`not ready after ${READY_MS / 1000} s: ${last}`);
}

async function journey(engine: ContainerEngine): Promise<void> {
  const project = `holdfast-test-${process.pid}`;
  const password = randomBytes(16).toString("hex");
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    HOLDFAST_IMAGE: IMAGE,
    HOLDFAST_DB_PASSWORD: password,
    HOLDFAST_PORT: String(port),
    HOLDFAST_URL: url,
    COMPOSE_PROJECT_NAME: project,
  };
  const compose = (args: string[], input?: string) =>
    run([...engine.compose, "-p", project, ...args], { env, ...(input === undefined ? {} : { input }) });
  const psql = async (database: string, sql: string) =>
    (
      await compose(
        ["exec", "-T", "postgres", "psql", "-U", "holdfast", "-d", database, "-At", "-v", "ON_ERROR_STOP=1"],
        sql,
      )
    ).trim();

  await step("build", () => {
    const args = words("HOLDFAST_BUILD_ARGS").flatMap((arg) => ["--build-arg", arg]);
    return run([engine.name, "build", ...words("HOLDFAST_BUILD_FLAGS"), ...args, "-t", IMAGE, "."], {
      show: true,
    });
  });
  try {
    await step("keys", () => compose(["run", "--rm", "keys"]));
    await step("up, three workers", () => compose(["up", "-d", "--no-build", "--scale", "worker=3"]));
    await step("ready", () => waitReady(url));
    await psql("postgres", "CREATE DATABASE shop");
    await psql("shop", TABLE);

    const inWeb = ["exec", "-T", "-e", "HOLDFAST_URL=http://127.0.0.1:3000"];
    const made = await compose([
      ...inWeb,
      "web",
      "node",
      "bin/holdfast",
      "token",
      "create",
      "--name",
      "test",
      "--role",
      "admin",
    ]);
    const holdfast = (args: string[]) =>
      compose([
        ...inWeb,
        "-e",
        `HOLDFAST_TOKEN=${made.trim()}`,
        "web",
        "node",
        "bin/holdfast",
        ...args,
        "--json",
      ]);
    const source = `postgresql://holdfast:${password}@postgres:5432/shop`;
    await holdfast([
      "database",
      "add",
      "--name",
      "shop",
      "--engine",
      "postgres",
      "--url",
      source,
      "--environment",
      "production",
    ]);
    const backup = await step("back up and prove", async () => {
      const text = await holdfast(["backup", "run", "shop", "--wait", "--timeout", "5m"]);
      return JSON.parse(text) as { id: string; proof: { verdict: string; isolation: string } };
    });
    if (backup.proof.verdict !== "proven") throw new Error(`the proof's verdict is ${backup.proof.verdict}`);
    say(`proven, isolation: ${backup.proof.isolation}`);
    const target = ["--to-new-database", "shop_copy", "--on", "shop"];
    await step("restore", () =>
      holdfast(["backup", "restore", backup.id, ...target, "--wait", "--timeout", "5m"]),
    );
    const sum = "SELECT count(*), sum(hashtext(text)::bigint) FROM item";
    const [from, to] = [await psql("shop", sum), await psql("shop_copy", sum)];
    if (from !== to) throw new Error(`the restored table differs: ${from} and ${to}`);
    await step("stop a worker and go on", async () => {
      await compose(["up", "-d", "--no-build", "--scale", "worker=1"]);
      await waitReady(url);
    });
  } catch (error) {
    complain(await compose(["logs", "--tail", "40"]).catch(() => "no logs"));
    throw error;
  } finally {
    await compose(["down", "-v", "--timeout", "30"]).catch((error: unknown) => complain(String(error)));
  }
}

const engine = findEngine();
if (!engine) {
  complain(
    "Neither docker nor podman can run a compose file here; on Debian as root: apt-get install podman podman-compose",
  );
  process.exit(1);
}
try {
  say(`with ${engine.name} and ${engine.compose.join(" ")}`);
  await journey(engine);
  say("1 passed, 0 failed");
  process.exit(0);
} catch (error) {
  complain(error instanceof Error ? error.message : String(error));
  say("0 passed, 1 failed");
  process.exit(1);
}
