import type { ChildProcess } from "node:child_process";
import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { HoldfastError, messageOf } from "../errors.ts";
import { endWithParent } from "./end-with-parent.ts";

const run = promisify(execFile);

/** Asked late: in the web process this module is bundled and has no folder, and starts no server. */
const modules = () => path.resolve(import.meta.dirname, "../../node_modules");

/** Nothing of our own environment reaches a server; Next's types ask for NODE_ENV. */
const SERVER_ENV: NodeJS.ProcessEnv = {
  NODE_ENV: "production",
  PATH: "/usr/bin:/bin",
  LC_ALL: "C",
  TZ: "UTC",
};

/** Majors that come with the npm packages pg<major>-<platform>-<arch>. */
export const EMBEDDED_MAJORS = [15, 18] as const;

/** The user that a server runs as: never root, because PostgreSQL refuses it. */
export interface ServerUser {
  uid: number;
  gid: number;
}

/** Folder of an embedded PostgreSQL (bin, lib, share), or null where the package is not installed. */
export function findNative(major: number): string | null {
  const native = path.join(modules(), `pg${major}-${process.platform}-${process.arch}`, "native");
  return existsSync(path.join(native, "bin/postgres")) ? native : null;
}

/** Makes the library links that the package's install script makes, for installs without scripts. */
export async function ensureLinks(nativeDir: string): Promise<void> {
  const text = await readFile(path.join(nativeDir, "pg-symlinks.json"), "utf8");
  const links = JSON.parse(text) as { source: string; target: string }[];
  const root = path.dirname(nativeDir);
  for (const { source, target } of links) {
    const at = path.join(root, target);
    const exists = await lstat(at).then(
      () => true,
      () => false,
    );
    if (!exists) await symlink(path.basename(source), at);
  }
}

/** As root: the `postgres` system user, made if missing. As an ordinary user: null, servers run as oneself. */
export async function serverUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const read = async (): Promise<ServerUser | null> => {
    try {
      const { stdout: uid } = await run("id", ["-u", "postgres"]);
      const { stdout: gid } = await run("id", ["-g", "postgres"]);
      return { uid: Number(uid), gid: Number(gid) };
    } catch {
      return null;
    }
  };
  const found = await read();
  if (found) return found;
  await run("useradd", [
    "--system",
    "--user-group",
    "--no-create-home",
    "--shell",
    "/usr/sbin/nologin",
    "postgres",
  ]);
  const made = await read();
  if (!made) {
    throw new HoldfastError("unavailable", "The system user postgres is missing and could not be made.", {
      remedy: "Run: useradd --system --user-group postgres",
    });
  }
  return made;
}

/** Whether that user can reach the path through all its parent folders. */
export function canReach(user: ServerUser | null, file: string): boolean {
  if (!user) return existsSync(file);
  return spawnSync("test", ["-x", file], { uid: user.uid, gid: user.gid }).status === 0;
}

/** Makes a data folder with one superuser; takes about a second. */
export async function initServer(options: {
  nativeDir: string;
  dataDir: string;
  superuser: string;
  password: string;
  user: ServerUser | null;
}): Promise<void> {
  const { nativeDir, dataDir, user } = options;
  await ensureLinks(nativeDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const secretDir = await mkdtemp(path.join(tmpdir(), "holdfast-init-"));
  try {
    const passwordFile = path.join(secretDir, "password");
    await writeFile(passwordFile, options.password, { mode: 0o600 });
    if (user) {
      for (const file of [dataDir, secretDir, passwordFile]) await chown(file, user.uid, user.gid);
    }
    const args = ["-D", dataDir, "-U", options.superuser, "--pwfile", passwordFile, "-A", "scram-sha-256"];
    args.push("-E", "UTF8", process.platform === "linux" ? "--locale=C.UTF-8" : "--locale=en_US.UTF-8");
    await run(path.join(nativeDir, "bin/initdb"), args, {
      ...(user ?? {}),
      env: SERVER_ENV,
      cwd: "/",
    });
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw new HoldfastError("unavailable", `The embedded Postgres could not be set up: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await rm(secretDir, { recursive: true, force: true });
  }
}

export interface RunningServer {
  pid: number;
  socketDir: string;
  port: number;
  /** Settles when the server has ended, whoever ended it. */
  exited: Promise<number | null>;
  /** Fast shutdown (open sessions are ended); immediate after 20 s. */
  stop(): Promise<void>;
}

/**
 * Starts a server on an initialised data folder and waits until it accepts connections. It listens on a
 * unix socket in `socketDir`, and on 127.0.0.1:`port` only if `tcp` is set. It ends with this process, however that
 * goes, after `graceSeconds` for others that still write to it; `removeAfter` is then removed.
 */
export async function startServer(options: {
  nativeDir: string;
  dataDir: string;
  socketDir: string;
  port: number;
  tcp: boolean;
  settings?: Record<string, string>;
  user: ServerUser | null;
  onLog?: (line: string) => void;
  graceSeconds: number;
  removeAfter?: string;
}): Promise<RunningServer> {
  const { nativeDir, dataDir, socketDir, port, user, graceSeconds } = options;
  await mkdir(socketDir, { recursive: true, mode: 0o700 });
  if (user) await chown(socketDir, user.uid, user.gid);
  const args = ["-D", dataDir, "-k", socketDir, "-p", String(port)];
  args.push("-c", `listen_addresses=${options.tcp ? "127.0.0.1" : ""}`);
  for (const [name, value] of Object.entries(options.settings ?? {})) args.push("-c", `${name}=${value}`);
  const child = spawn(path.join(nativeDir, "bin/postgres"), args, {
    ...(user ?? {}),
    cwd: "/",
    env: SERVER_ENV,
    stdio: ["ignore", "ignore", "pipe"],
    // Own group: a Ctrl-C at the terminal must not reach it before web and worker have ended.
    detached: true,
  });
  let tail = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-4000);
    options.onLog?.(text);
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      tail += messageOf(error);
      resolve(null);
    });
    child.once("exit", (code) => resolve(code));
  });
  const { pid } = child;
  if (pid !== undefined) {
    const ended = endWithParent({ pid, dataDir, graceSeconds, remove: options.removeAfter });
    void exited.then(ended);
  }
  await waitUntilReady(child, dataDir, exited, () => tail);
  if (pid === undefined) throw new HoldfastError("unavailable", "The embedded Postgres did not start.");
  return { pid, socketDir, port, exited, stop: () => stopChild(child, exited) };
}

async function waitUntilReady(
  child: ChildProcess,
  dataDir: string,
  exited: Promise<number | null>,
  tail: () => string,
): Promise<void> {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (ended) {
      throw new HoldfastError("unavailable", `The embedded Postgres ended at once: ${tail().trim()}`);
    }
    const pidFile = await readFile(path.join(dataDir, "postmaster.pid"), "utf8").catch(() => "");
    const lines = pidFile.split("\n");
    // Line 8 is the server's own statement of its state (PostgreSQL: LOCK_FILE_LINE_PM_STATUS).
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === "ready") return;
    await delay(20);
  }
  child.kill("SIGQUIT");
  throw new HoldfastError("unavailable", `The embedded Postgres was not ready after 120 s: ${tail().trim()}`);
}

async function stopChild(child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGINT");
  const force = setTimeout(() => child.kill("SIGQUIT"), 20_000);
  await exited;
  clearTimeout(force);
}

/**
 * Ends a server that an earlier process left on this data folder (its parent was killed). Returns whether
 * there was one. Only a process whose working folder is the data folder is touched.
 */
export async function stopLeftover(dataDir: string): Promise<boolean> {
  const pidFile = await readFile(path.join(dataDir, "postmaster.pid"), "utf8").catch(() => null);
  const pid = Number(pidFile?.split("\n")[0]);
  if (!pid || !isAlive(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => null);
  if (command !== null && !command.includes(dataDir)) return false;
  process.kill(pid, "SIGINT");
  const force = Date.now() + 20_000;
  while (isAlive(pid)) {
    if (Date.now() > force) process.kill(pid, "SIGQUIT");
    await delay(50);
  }
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
