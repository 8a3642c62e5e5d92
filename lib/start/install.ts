import { spawn } from "node:child_process";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { complain, say, step } from "../../bin/progress.mjs";
import { serverUser } from "../embedded/postgres-server.ts";
import type { Env } from "../env.ts";
import { parseEnv } from "../env.ts";
import { HoldfastError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { ROOT } from "../root.ts";
import { ensureBuilt, ensureGenerated } from "./build.ts";
import { ensureClientTools } from "./client-tools.ts";
import { locateDataFolder, prepareDataFolder } from "./data-folder.ts";
import { takeLock } from "./lock.ts";
import { LogFile } from "./log-file.ts";
import { onParentGone } from "./parent-pipe.ts";
import { requirePort } from "./port.ts";
import { readRunFile, removeRunFile, writeRunFile } from "./run-file.ts";
import type { SupervisedChild } from "./supervisor.ts";
import { supervise } from "./supervisor.ts";
import { localOrigin, waitReady } from "./wait-ready.ts";

/** npm and the terminal may both deliver one Ctrl-C; only a later one forces. */
const SAME_SIGNAL_MS = 1000;
const WEB_GRACE_MS = 8000;
const WORKER_GRACE_MS = 20_000;

interface Stopping {
  signal: AbortSignal;
  /** Aborted by the second Ctrl-C. */
  force: AbortSignal;
}

/**
 * The whole of `npm start`: checks, build, embedded Postgres (unless DATABASE_URL is set), metadata, web and worker.
 * Runs until a signal ends it and returns the exit code. Throws HoldfastError with a remedy when it can't start.
 */
export async function startInstall(options: { demo: boolean }): Promise<number> {
  const stopping = listenForEnd();
  const env = parseEnv(process.env);
  const user = env.DATABASE_URL ? null : await serverUser();
  const data = locateDataFolder(process.env.HOLDFAST_DATA || undefined, user);
  if (data.note) say(data.note);
  prepareDataFolder(data.path, user);
  const lock = takeLock(path.join(data.path, "holdfast.lock"));
  if (!lock) throw alreadyRunning(data.path);

  const ends: ((force: boolean) => Promise<void>)[] = [];
  try {
    await requirePort(env.HOST, env.PORT);
    await ensureClientTools(env.HOLDFAST_INSTALL_TOOLS === "on", stopping.signal);
    await ensureGenerated(stopping.signal);
    await ensureBuilt(stopping.signal);
    await run(absolute(env, data.path), { ...options, user, stopping, ends });
    return 0;
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    return 0;
  } finally {
    await endAll(ends, stopping);
    removeRunFile(data.path);
    lock.release();
  }
}

interface RunOptions {
  demo: boolean;
  user: Awaited<ReturnType<typeof serverUser>>;
  stopping: Stopping;
  ends: ((force: boolean) => Promise<void>)[];
}

async function run(env: Env, { demo, user, stopping, ends }: RunOptions): Promise<void> {
  const startedAt = new Date().toISOString();
  const logs = (name: string) => new LogFile(path.join(env.HOLDFAST_DATA, "logs", `${name}.log`));
  // Imported late: both need the generated database client. The second is loaded while Postgres starts.
  const { startMetadata } = await import("./metadata.ts");
  const starting = startMetadata(env, { user, say, log: logs("postgres") });
  const [metadata, { prepare }] = await Promise.all([starting, import("./prepare.ts")]);
  ends.push((force) => metadata.stop(force));
  const log = createLogger("start", env.HOLDFAST_LOG_LEVEL, logs("start").path);
  const prepared = await step("Preparing the database", () =>
    prepare({ env, ...metadata, embedded: metadata.embedded !== null, log }),
  );
  ends.push(() => prepared.close());
  stopping.signal.throwIfAborted();

  const childEnv = {
    ...settingsOf(env),
    NODE_ENV: "production",
    DATABASE_URL: metadata.databaseUrl,
    HOLDFAST_OWNER_DATABASE_URL: "",
    HOLDFAST_PREPARED: "1",
  };
  const entry = (script: string) => [path.join(ROOT, script)];
  const web = supervise(
    { name: "web", args: entry("bin/web.ts"), env: childEnv, graceMs: WEB_GRACE_MS, log: logs("web") },
    complain,
  );
  const worker = supervise(
    {
      name: "worker",
      args: entry("worker/index.ts"),
      env: childEnv,
      graceMs: WORKER_GRACE_MS,
      log: logs("worker"),
    },
    complain,
  );
  ends.push(async (force) => {
    await Promise.all([web.stop(force), worker.stop(force)]);
  });
  const url = env.url.href.replace(/\/$/, "");
  writeRunFile(env.HOLDFAST_DATA, {
    pid: process.pid,
    startedAt,
    url,
    databaseUrl: metadata.databaseUrl,
    ownerDatabaseUrl: metadata.ownerUrl,
    keys: env.HOLDFAST_KEYS ?? path.join(env.HOLDFAST_DATA, "keys"),
  });
  const origin = localOrigin(env.HOST, env.PORT);
  await step("Starting web and worker", () =>
    waitReady(origin, { signal: stopping.signal, givenUp: () => crashLoop([web, worker]) }),
  );
  say(await prepared.readyLine(url));
  if (demo) startDemo(childEnv, metadata.embedded !== null, ends);
  await aborted(stopping.signal);
}

/** Settles when the signal is aborted, which may have been before. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** In a process of its own, so that the supervisor stays small; its failure is told and ends nothing. */
function startDemo(
  env: Record<string, string>,
  embedded: boolean,
  ends: ((force: boolean) => Promise<void>)[],
): void {
  if (!embedded) {
    complain("--demo needs the embedded Postgres; unset DATABASE_URL and run: npm start -- --demo");
    return;
  }
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", path.join(ROOT, "bin/demo.ts")],
    {
      cwd: ROOT,
      env: { ...process.env, ...env, DATABASE_URL: "", HOLDFAST_SUPERVISED: "1" },
      stdio: ["pipe", "inherit", "inherit"],
    },
  );
  child.stdin.on("error", () => undefined);
  const ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
  ends.push(async () => {
    child.kill("SIGKILL");
    await ended;
  });
}

function crashLoop(children: SupervisedChild[]): string | null {
  const bad = children.find((child) => child.crashes >= 3);
  return bad ? `${bad.name} ended ${bad.crashes} times in a row; see why with: tail ${bad.logFile}` : null;
}

function alreadyRunning(folder: string): HoldfastError {
  const other = readRunFile(folder);
  const who = other ? `process ${other.pid}, ${other.url}` : "a start that is not ready yet";
  return new HoldfastError("invalid", `Holdfast already runs on the data folder ${folder} (${who}).`, {
    remedy: other
      ? `Stop that one with: kill ${other.pid}`
      : "Wait for it, or choose another folder with HOLDFAST_DATA.",
  });
}

/** Every path absolute, so that web and worker mean the same folders wherever they run. */
function absolute(env: Env, dataFolder: string): Env {
  const keys = path.resolve(env.HOLDFAST_KEYS ?? path.join(dataFolder, "keys"));
  const temp = env.HOLDFAST_TEMP ? { HOLDFAST_TEMP: path.resolve(env.HOLDFAST_TEMP) } : {};
  return { ...env, HOLDFAST_DATA: dataFolder, HOLDFAST_KEYS: keys, ...temp };
}

function settingsOf(env: Env): Record<string, string> {
  const { url: _url, ...settings } = env;
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

function listenForEnd(): Stopping {
  const stop = new AbortController();
  const force = new AbortController();
  let first = 0;
  const onSignal = () => {
    if (first === 0) {
      first = Date.now();
      say("Stopping; once more to force it.");
      stop.abort();
    } else if (Date.now() - first > SAME_SIGNAL_MS) force.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  onParentGone(() => {
    if (first === 0) onSignal();
  });
  return { signal: stop.signal, force: force.signal };
}

/** Last started, first ended. A forced end skips the waiting. */
async function endAll(ends: ((force: boolean) => Promise<void>)[], { force }: Stopping): Promise<void> {
  const forced = () => Promise.all(ends.map((end) => end(true).catch(() => undefined)));
  let forcing: Promise<unknown> | undefined;
  force.addEventListener("abort", () => {
    forcing = forced();
  });
  for (const end of [...ends].reverse()) {
    if (force.aborted) break;
    await end(false).catch((error: unknown) => complain(String(error)));
  }
  await forcing;
  await delay(0);
}
