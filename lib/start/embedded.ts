import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { step } from "../../bin/progress.mjs";
import type { RunningServer, ServerUser } from "../embedded/postgres-server.ts";
import { findNative, initServer, startServer, stopLeftover } from "../embedded/postgres-server.ts";
import { reachableNative } from "../embedded/reachable-native.ts";
import { HoldfastError, messageOf } from "../errors.ts";
import type { LogFile } from "./log-file.ts";
import { socketFolder } from "./socket-folder.ts";
import { backOff } from "./supervisor.ts";

/** The newest major that Debian 12's own pg_dump can dump: the demo's databases live on this server, too. */
const MAJOR = 15;
const SUPERUSER = "holdfast";
const DATABASE = "holdfast";
const PORT = 5432;
/** A worker whose supervisor was killed writes down what it was at; see ABORT_GRACE_MS there. */
const GRACE_SECONDS = 15;

/** Small on a laptop; a metadata database of millions of operations still fits its indexes. */
const SETTINGS = { shared_buffers: "128MB", max_connections: "150", jit: "off", log_checkpoints: "off" };

export interface Embedded {
  /** Folder of the unix socket; the server has no network address. */
  socketDir: string;
  /** Connection URL of a login, over the socket. */
  url(user: string, password: string, database?: string): string;
  /** As the superuser that owns the metadata. */
  ownerUrl: string;
  /** Fast shutdown; immediate (crash-safe, recovers at the next start) when forced. */
  stop(force?: boolean): Promise<void>;
}

/**
 * Starts the embedded Postgres of a data folder, making it first if need be, and ends one that an earlier start
 * left behind. If it dies it is started again with growing delays.
 */
export async function startEmbedded(options: {
  dataFolder: string;
  user: ServerUser | null;
  log: LogFile;
  say: (line: string) => void;
}): Promise<Embedded> {
  const { dataFolder, user, log, say } = options;
  const found = findNative(MAJOR);
  if (!found) {
    throw new HoldfastError(
      "unavailable",
      `There is no embedded Postgres for ${process.platform}-${process.arch}.`,
      {
        remedy: "Install the dependencies again with npm ci, or set DATABASE_URL to a Postgres of yours.",
      },
    );
  }
  const nativeDir = await reachableNative(found, user);
  const dataDir = path.join(dataFolder, "pg");
  const password = await ensureCluster(dataFolder, dataDir, nativeDir, user);
  if (await stopLeftover(dataDir))
    say("Stopped the embedded Postgres that an earlier start had left running.");

  const socketDir = socketFolder(dataFolder, user);
  const onLog = (text: string) => log.write(text);
  const place = { nativeDir, dataDir, socketDir, port: PORT, tcp: false, user };
  const launch = () => startServer({ ...place, settings: SETTINGS, onLog, graceSeconds: GRACE_SECONDS });
  let server: RunningServer = await launch();
  let stopping = false;
  void keepRunning();

  async function keepRunning(): Promise<void> {
    let crashes = 0;
    while (true) {
      const startedAt = Date.now();
      await server.exited;
      if (stopping) return;
      crashes = Date.now() - startedAt > 60_000 ? 1 : crashes + 1;
      const what = `The embedded Postgres ended; starting it again in ${backOff(crashes) / 1000} s`;
      log.write(`${new Date().toISOString()} ${what}\n`);
      say(`${what} (log: ${log.path})`);
      await delay(backOff(crashes));
      if (stopping) return;
      try {
        server = await launch();
      } catch (error) {
        say(messageOf(error));
      }
    }
  }

  const url = (login: string, secret: string, database = DATABASE) =>
    `postgresql://${encodeURIComponent(login)}:${encodeURIComponent(secret)}@localhost:${PORT}/${database}?host=${encodeURIComponent(socketDir)}`;
  await ensureDatabase(url(SUPERUSER, password, "postgres"));
  return {
    socketDir,
    url,
    ownerUrl: url(SUPERUSER, password),
    async stop(force = false) {
      stopping = true;
      if (force) process.kill(server.pid, "SIGQUIT");
      await server.stop();
      rmSync(socketDir, { recursive: true, force: true });
    },
  };
}

/** Makes the cluster in one rename, so that an interrupted start leaves none half made. Returns the password. */
async function ensureCluster(
  dataFolder: string,
  dataDir: string,
  nativeDir: string,
  user: ServerUser | null,
): Promise<string> {
  const passwordFile = path.join(dataFolder, "postgres.password");
  if (existsSync(dataDir)) {
    try {
      return readFileSync(passwordFile, "utf8").trim();
    } catch (cause) {
      throw new HoldfastError(
        "refused",
        `${passwordFile}, the password of the embedded Postgres, cannot be read.`,
        {
          remedy: "Put the file back from your copy of the data folder.",
          cause,
        },
      );
    }
  }
  const password = randomBytes(24).toString("base64url");
  const part = `${dataDir}.part`;
  await step("Setting up the embedded Postgres", async () => {
    rmSync(part, { recursive: true, force: true });
    await initServer({ nativeDir, dataDir: part, superuser: SUPERUSER, password, user });
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    renameSync(part, dataDir);
  });
  return password;
}

async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl, application_name: "holdfast start" });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Lets `login` and the owner into the metadata database, and nobody else who may sign in to this server. */
export async function closeDatabase(ownerUrl: string, login: string): Promise<void> {
  const client = new Client({ connectionString: ownerUrl, application_name: "holdfast start" });
  await client.connect();
  try {
    await client.query(`REVOKE CONNECT, TEMPORARY ON DATABASE ${DATABASE} FROM PUBLIC`);
    await client.query(`GRANT CONNECT ON DATABASE ${DATABASE} TO ${client.escapeIdentifier(login)}`);
  } finally {
    await client.end();
  }
}
