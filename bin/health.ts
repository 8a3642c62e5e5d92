import { hostname } from "node:os";
import { Client } from "pg";
import { parseEnv } from "../lib/env.ts";
import { messageOf } from "../lib/errors.ts";
import type { Readiness } from "../lib/health/readiness.ts";
import { localOrigin } from "../lib/start/wait-ready.ts";
import { LOST_AFTER_SECONDS } from "../lib/workers/worker-row.ts";
import { complain, say } from "./progress.mjs";

/**
 * What GET /api/readyz of this container says of the database and its migrations. That no worker is there is no
 * fault of web's: an orchestrator that restarts what is not well would gain nothing.
 */
async function webIsWell(): Promise<boolean> {
  const { HOST, PORT } = parseEnv(process.env);
  const response = await fetch(`${localOrigin(HOST, PORT)}/api/readyz`, {
    signal: AbortSignal.timeout(4000),
  });
  const { checks } = (await response.json()) as Readiness;
  say(JSON.stringify(checks));
  return checks.database === "ok" && checks.migrations === "ok";
}

/** Whether a worker of this host has written its heartbeat lately. */
async function workerIsAlive(): Promise<boolean> {
  const { DATABASE_URL } = parseEnv(process.env);
  if (!DATABASE_URL) throw new Error("DATABASE_URL is not set; the worker's heartbeat is in that database.");
  const client = new Client({
    connectionString: DATABASE_URL,
    connectionTimeoutMillis: 4000,
  });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      "SELECT 1 FROM worker WHERE host = $1 AND stopped_at IS NULL AND heartbeat_at > now() - $2 * interval '1 second'",
      [hostname(), LOST_AFTER_SECONDS],
    );
    return (rowCount ?? 0) > 0;
  } finally {
    await client.end();
  }
}

try {
  const [part] = process.argv.slice(2);
  if (part !== "web" && part !== "worker") throw new Error("Use: node bin/health.mjs web|worker");
  process.exit((await (part === "web" ? webIsWell() : workerIsAlive())) ? 0 : 1);
} catch (error) {
  complain(messageOf(error));
  process.exit(1);
}
