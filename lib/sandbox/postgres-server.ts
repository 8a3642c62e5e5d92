import { randomBytes } from "node:crypto";
import { chown, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { canReach } from "../embedded/postgres-server.ts";
import { reachableNative } from "../embedded/reachable-native.ts";
import { HoldfastError, messageOf } from "../errors.ts";
import type { ServerBinaries } from "./binaries.ts";
import { INSIDE } from "./bubblewrap.ts";
import type { HostIsolation } from "./isolation.ts";
import { defaultLimits } from "./limits.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { runIsolated } from "./run-isolated.ts";
import type { SandboxFolder } from "./sandbox-folder.ts";
import { lastLines } from "./watch-life.ts";

export const SUPERUSER = "postgres";
export const PORT = 5432;

/** Longest start of an empty server on a busy machine. */
const START_MS = 60_000;

export interface ServerRequest {
  server: ServerBinaries;
  isolation: HostIsolation;
  folder: SandboxFolder;
  hidden: string[];
  settings: (socketDir: string) => Record<string, string>;
  signal: AbortSignal;
}

export interface SandboxServer {
  run: IsolatedRun;
  /** Of the superuser; null where the socket's folder alone guards the server. */
  password: string | null;
  connect(database: string): Promise<Client>;
}

/** Makes an empty cluster in the folder and starts a server on it, both isolated. Ends all of it on failure. */
export async function startServerIn(request: ServerRequest): Promise<SandboxServer> {
  const { folder, isolation, signal } = request;
  const namespaces = isolation.method.mode === "namespaces";
  const place = namespaces ? insidePlace(request) : await hostPlace(request);
  // A namespace holds back whoever gets in; a plain process needs its superuser guarded from the dump's code.
  const password = namespaces ? null : randomBytes(24).toString("base64url");
  const common = {
    method: isolation.method,
    user: folder.user,
    folder: folder.box,
    socketDir: folder.socketDir,
    etc: folder.etc,
    programs: place.programs,
    hidden: request.hidden,
    limits: defaultLimits(),
    env: { LC_ALL: process.platform === "linux" ? "C.UTF-8" : "C", TZ: "UTC", ...place.env },
  };
  const init = [path.join(place.bin, "initdb"), "-D", place.data, "-U", SUPERUSER, "-N", "-E", "UTF8"];
  init.push(`--locale=${process.platform === "linux" ? "C.UTF-8" : "C"}`);
  if (password === null) {
    init.push("-A", "trust");
  } else {
    const file = path.join(folder.box, "password");
    await writeFile(file, password, { mode: 0o600 });
    if (folder.user) await chown(file, folder.user.uid, folder.user.gid);
    init.push("-A", "scram-sha-256", "--pwfile", path.join(place.data, "..", "password"));
  }
  await toItsEnd(runIsolated({ ...common, shell: true, command: init }), signal);
  await rm(path.join(folder.box, "password"), { force: true });

  const command = [path.join(place.bin, "postgres"), "-D", place.data];
  for (const [name, value] of Object.entries(request.settings(place.socket))) {
    command.push("-c", `${name}=${value}`);
  }
  const run = runIsolated({ ...common, shell: false, command });
  const connect = async (database: string) => {
    const client = new Client({
      host: folder.socketDir,
      port: PORT,
      user: SUPERUSER,
      database,
      ...(password === null ? {} : { password }),
    });
    // The server may go away under an idle client; the next query tells.
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
  try {
    const pid = await run.pid;
    if (pid !== null) await folder.claim(pid);
    await untilReady(run, connect, signal);
  } catch (error) {
    await run.end();
    throw error;
  }
  return { run, password, connect };
}

interface Place {
  bin: string;
  data: string;
  socket: string;
  programs: { from: string; to: string }[];
  env: Record<string, string>;
}

/** Embedded servers lie in the clone, which a sandbox must not see: they appear at a fixed path. */
function insidePlace({ server }: ServerRequest): Place {
  const to = server.source === "embedded" ? INSIDE.programs : server.root;
  return {
    bin: path.join(to, path.relative(server.root, server.bin)),
    data: `${INSIDE.folder}/data`,
    socket: INSIDE.socket,
    programs: [{ from: server.root, to }],
    // The loader's $ORIGIN needs /proc, which a sandbox has not.
    env: server.source === "embedded" ? { LD_LIBRARY_PATH: path.join(to, "lib") } : {},
  };
}

async function hostPlace({ server, folder }: ServerRequest): Promise<Place> {
  if (!canReach(folder.user, folder.box)) {
    throw new HoldfastError(
      "unavailable",
      `The sandbox's user cannot reach ${folder.box}, and this host allows no namespaces.`,
      { remedy: "Set HOLDFAST_TEMP to a folder that every user may pass through, such as /var/tmp." },
    );
  }
  const root = server.source === "embedded" ? await reachableNative(server.root, folder.user) : server.root;
  return {
    bin: path.join(root, path.relative(server.root, server.bin)),
    data: path.join(folder.box, "data"),
    socket: folder.socketDir,
    programs: [],
    env: {},
  };
}

async function toItsEnd(run: IsolatedRun, signal: AbortSignal): Promise<void> {
  const stop = () => void run.end();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const { code } = await run.exited;
  signal.removeEventListener("abort", stop);
  signal.throwIfAborted();
  if (code === 0) return;
  throw new HoldfastError("unavailable", `The sandbox could not be set up: ${lastLines(run)}`);
}

async function untilReady(
  run: IsolatedRun,
  connect: (database: string) => Promise<Client>,
  signal: AbortSignal,
): Promise<void> {
  let over = false;
  void run.exited.then(() => {
    over = true;
  });
  const deadline = Date.now() + START_MS;
  for (;;) {
    signal.throwIfAborted();
    if (over) throw new HoldfastError("unavailable", `The sandbox did not start: ${lastLines(run)}`);
    try {
      const client = await connect("template1");
      await client.end();
      return;
    } catch (error) {
      if (Date.now() < deadline) {
        await delay(10);
        continue;
      }
      throw new HoldfastError("unavailable", `The sandbox did not answer in time: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
