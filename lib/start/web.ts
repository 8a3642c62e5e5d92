import type { Server } from "node:http";
import { createServer } from "node:http";
import { say } from "../../bin/progress.mjs";
import type { Env } from "../env.ts";
import { parseEnv } from "../env.ts";
import { HoldfastError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { ROOT } from "../root.ts";
import { beforeNext } from "../web/before-next.ts";
import { ensureBuilt, ensureGenerated } from "./build.ts";
import { onParentGone } from "./parent-pipe.ts";
import { portError } from "./port.ts";

/** Time for answers under way; event streams are cut after it and browsers connect again elsewhere. */
const DRAIN_MS = 3000;

/**
 * The web process: Next's production server on HOST:PORT until SIGTERM, SIGINT, or the end of the parent that
 * supervises it. Run by itself (`npm run web`) it first brings the database of DATABASE_URL up to this version.
 */
export async function runWeb(): Promise<void> {
  process.chdir(ROOT);
  const env = parseEnv(process.env);
  if (!env.DATABASE_URL) {
    throw new HoldfastError(
      "invalid",
      "DATABASE_URL is not set, and the web process brings no database of its own.",
      {
        remedy: "Set it to a Postgres of yours, or run everything on this machine with: npm start",
      },
    );
  }
  if (process.env.HOLDFAST_PREPARED !== "1") await prepareAlone(env, env.DATABASE_URL);
  Object.assign(process.env, { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" });

  const { default: next } = await import("next");
  const app = next({ dev: false, dir: ROOT, hostname: env.HOST, port: env.PORT });
  const handle = app.getRequestHandler();
  await app.prepare();
  const answered = beforeNext(env.url);
  const server = createServer((request, response) => {
    if (answered(request, response)) return;
    handle(request, response).catch(() => response.destroy());
  });
  // Longer than a proxy's own, so that a connection is not closed under a request.
  server.keepAliveTimeout = 75_000;
  await listen(server, env);

  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), 2 * DRAIN_MS).unref();
    await drain(server);
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end());
  // As a signal, so that what runs beside the pages (instrumentation.ts) ends in the same way.
  onParentGone(() => process.kill(process.pid, "SIGTERM"));
  if (process.env.HOLDFAST_PREPARED !== "1") say(`Holdfast's web process listens on ${env.HOST}:${env.PORT}`);
}

async function prepareAlone(env: Env, databaseUrl: string): Promise<void> {
  await ensureGenerated();
  await ensureBuilt();
  const { prepare } = await import("./prepare.ts");
  const prepared = await prepare({
    env,
    ownerUrl: env.HOLDFAST_OWNER_DATABASE_URL ?? databaseUrl,
    databaseUrl,
    embedded: false,
    log: createLogger("web", env.HOLDFAST_LOG_LEVEL),
  });
  say(await prepared.readyLine(env.url.href.replace(/\/$/, "")));
  await prepared.close();
}

async function listen(server: Server, { HOST, PORT }: Env): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(portError(error.code ?? "unknown", HOST, PORT)),
    );
    server.listen(PORT, HOST, resolve);
  });
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(cut);
}
