import { existsSync, realpathSync } from "node:fs";
import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { canReach } from "../embedded/postgres-server.ts";
import { HoldfastError, messageOf } from "../errors.ts";
import { runCommand } from "../process/run-command.ts";
import { INSIDE } from "./bubblewrap.ts";
import type { HostIsolation } from "./isolation.ts";
import { defaultLimits } from "./limits.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { runIsolated } from "./run-isolated.ts";
import type { SandboxFolder } from "./sandbox-folder.ts";
import { lastLines } from "./watch-life.ts";

export const SOCKET = "m.sock";
/** Longest start of an empty server on a busy machine. */
const START_MS = 60_000;
const GIB = 1024 ** 3;

/** One installed MariaDB or MySQL server. */
export interface MariadbBinaries {
  program: string;
  /** "10.11.19" */
  version: string;
  /** Folder with messages, character sets and the system tables' definitions. */
  share: string;
  /** MariaDB's is filled from its files, MySQL's fills itself. */
  initializesItself: boolean;
}

const FOLDERS = ["/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/mysql/bin", "/usr/bin"];
const SHARES = ["/usr/share/mysql", "/usr/share/mariadb", "/usr/share/mysql-8.0", "/usr/share/mysql-8.4"];

/** The server programs of a kind on this machine; `isKind` judges what `--version` says. */
export async function findMariadbServers(
  names: readonly string[],
  isKind: (version: string) => boolean,
): Promise<MariadbBinaries[]> {
  const found = new Map<string, MariadbBinaries>();
  for (const program of FOLDERS.flatMap((folder) => names.map((name) => path.join(folder, name)))) {
    if (!existsSync(program)) continue;
    const real = realpathSync(program);
    if (found.has(real)) continue;
    const { stdout } = await runCommand({ program: real, args: ["--version"], tempDir: tmpdir() });
    const version = /Ver (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    const share = SHARES.find((folder) => existsSync(path.join(folder, "charsets")));
    if (!version || !share || !isKind(stdout)) continue;
    const initializesItself = !existsSync(path.join(share, "mysql_system_tables.sql"));
    found.set(real, { program: real, version, share, initializesItself });
  }
  return [...found.values()];
}

export interface MariadbRequest {
  server: MariadbBinaries;
  isolation: HostIsolation;
  folder: SandboxFolder;
  hidden: string[];
  /** Disk that the data may take. */
  budgetBytes: number;
  /** Statements that run before the first session gets in. */
  first: string[];
  signal: AbortSignal;
  /** Whether the server lets somebody in; throws while it does not. */
  tryConnect(): Promise<void>;
}

/** Makes an empty server's files in the folder and starts it, both isolated, on a socket alone. Ends all of it on failure. */
export async function startMariadbIn(request: MariadbRequest): Promise<IsolatedRun> {
  const { folder, isolation, server, signal } = request;
  const namespaces = isolation.method.mode === "namespaces";
  if (!namespaces && !canReach(folder.user, folder.box)) {
    throw new HoldfastError(
      "unavailable",
      `The sandbox's user cannot reach ${folder.box}, and this host allows no namespaces.`,
      { remedy: "Set HOLDFAST_TEMP to a folder that every user may pass through, such as /var/tmp." },
    );
  }
  const home = namespaces ? INSIDE.folder : folder.box;
  const socketDir = namespaces ? INSIDE.socket : folder.socketDir;
  for (const name of ["data", "tmp", "files"]) await own(folder, path.join(folder.box, name), null);
  const initFile = path.join(folder.box, "first.sql");
  await own(folder, initFile, request.first.map((statement) => `${statement};\n`).join(""));
  const common = {
    method: isolation.method,
    user: folder.user,
    folder: folder.box,
    socketDir: folder.socketDir,
    etc: folder.etc,
    programs: [server.program, server.share].map((at) => ({ from: at, to: at })),
    hidden: request.hidden,
    // Each table is one file; the disk's budget is measured, and ends it first.
    limits: { ...defaultLimits(), fileBytes: request.budgetBytes + GIB },
    shell: false,
    env: { LC_ALL: "C.UTF-8", TZ: "UTC" },
  };
  const base = [
    server.program,
    "--no-defaults",
    `--datadir=${home}/data`,
    `--tmpdir=${home}/tmp`,
    `--secure-file-priv=${home}/files`,
    "--innodb-use-native-aio=0",
    "--innodb-buffer-pool-size=256M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--max-allowed-packet=1G",
    "--skip-log-bin",
    "--performance-schema=OFF",
  ];
  await fill(common, base, request);
  const command = [
    ...base,
    `--socket=${socketDir}/${SOCKET}`,
    `--pid-file=${home}/pid`,
    `--init-file=${home}/first.sql`,
    "--skip-networking",
    "--skip-name-resolve",
    "--skip-symbolic-links",
    // Not DISABLED: then nobody could even list events.
    "--event-scheduler=OFF",
    "--local-infile=0",
    "--default-time-zone=+00:00",
    "--lock-wait-timeout=60",
    "--net-read-timeout=3600",
    "--net-write-timeout=3600",
    ...(server.initializesItself ? ["--mysqlx=OFF"] : []),
  ];
  const run = runIsolated({ ...common, command });
  try {
    const pid = await run.pid;
    if (pid !== null) await folder.claim(pid);
    await untilReady(run, request.tryConnect, signal);
    // It may hold a password.
    await rm(initFile, { force: true });
  } catch (error) {
    await run.end();
    throw error;
  }
  return run;
}

/** A folder, or a file with that content, of the sandbox's user. */
async function own(folder: SandboxFolder, at: string, content: string | null): Promise<void> {
  if (content === null) await mkdir(at, { mode: 0o700 });
  else await writeFile(at, content, { mode: 0o600 });
  if (folder.user) await chown(at, folder.user.uid, folder.user.gid);
}

type Common = Omit<Parameters<typeof runIsolated>[0], "command" | "channel">;

/** What `mariadbd --bootstrap` makes an empty server's own tables of: a root without a password among them. */
export async function bootstrapSql(share: string): Promise<string> {
  const read = (name: string) => readFile(path.join(share, name), "utf8");
  return [
    "create database if not exists mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n",
    await read("mysql_system_tables.sql"),
    await read("mysql_system_tables_data.sql"),
  ].join("\n");
}

/** MariaDB's install script does the same with a shell, which a sandbox has not. */
async function fill(common: Common, base: string[], { server, signal }: MariadbRequest): Promise<void> {
  if (server.initializesItself) {
    await toItsEnd(runIsolated({ ...common, command: [...base, "--initialize-insecure"] }), signal);
    return;
  }
  const sql = await bootstrapSql(server.share);
  const run = runIsolated({ ...common, command: [...base, "--bootstrap"], channel: true });
  run.channel?.output.resume();
  run.channel?.body.end();
  run.channel?.input.end(sql);
  await toItsEnd(run, signal);
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
  tryConnect: () => Promise<void>,
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
      await tryConnect();
      return;
    } catch (error) {
      if (Date.now() < deadline) {
        await delay(20);
        continue;
      }
      throw new HoldfastError("unavailable", `The sandbox did not answer in time: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
