import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "mariadb";
import { createConnection } from "mariadb";
import type { Access } from "../engines/engine.ts";
import { trackGroup } from "../process/process-group.ts";
import { runCommand } from "../process/run-command.ts";
import { bootstrapSql } from "../sandbox/mariadb-server.ts";
import { freePort } from "./postgres.ts";

const PROGRAM = "/usr/sbin/mariadbd";
const SHARE = "/usr/share/mysql";
const NOBODY = 65_534;
const PASSWORD = "test-Password-1";
const START_MS = 60_000;

export interface TestMariadb {
  port: number;
  socket: string;
  /** As superuser root, over TCP. */
  url(database: string): string;
  access(database: string): Access;
  /** As superuser; the caller ends it. Runs several statements in one text. */
  client(database?: string): Promise<Connection>;
  /** Runs statements as superuser. */
  run(database: string | undefined, ...statements: string[]): Promise<void>;
  /** The first value of a query, as text. */
  read(database: string | undefined, query: string): Promise<string>;
  createDatabase(name: string): Promise<void>;
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real throwaway MariaDB of this machine on a free port and a socket. */
export async function startTestMariadb(settings: readonly string[] = []): Promise<TestMariadb> {
  const root = await mkdtemp(path.join(tmpdir(), "hf-maria-"));
  await chmod(root, 0o755);
  const data = path.join(root, "data");
  const socket = path.join(root, "s.sock");
  // A server that starts removes all servers' temporary tables from its folder for them.
  const temp = path.join(root, "tmp");
  await mkdir(temp);
  await chmod(temp, 0o777);
  const port = await freePort();
  // It refuses to run as root.
  const asRoot = process.getuid?.() === 0;
  const user = asRoot ? ["--user=nobody"] : [];
  await mkdir(data);
  if (asRoot) await chown(data, NOBODY, NOBODY);
  await runCommand({
    program: PROGRAM,
    args: ["--no-defaults", ...user, `--datadir=${data}`, `--tmpdir=${temp}`, "--bootstrap"],
    stdin: Readable.from([await bootstrapSql(SHARE)]),
    tempDir: root,
  });
  await chmod(root, 0o777);
  let child: ReturnType<typeof spawn> | null = null;
  const connect = (password: string, database?: string) =>
    createConnection({
      socketPath: socket,
      user: "root",
      password,
      ...(database === undefined ? {} : { database }),
      multipleStatements: true,
      bigIntAsNumber: true,
      debugLen: 0,
    });
  const untilReady = async (password: string): Promise<Connection> => {
    const until = Date.now() + START_MS;
    for (;;) {
      try {
        return await connect(password);
      } catch (error) {
        if (Date.now() > until || child?.exitCode !== null) throw error;
        await delay(25);
      }
    }
  };
  const launch = (): void => {
    const args = [
      "--no-defaults",
      ...user,
      `--datadir=${data}`,
      `--tmpdir=${temp}`,
      `--socket=${socket}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      `--pid-file=${path.join(root, "pid")}`,
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-buffer-pool-size=64M",
      "--max-connections=200",
      ...settings,
    ];
    const started = spawn(PROGRAM, args, { stdio: "ignore", detached: true });
    const untrack = started.pid === undefined ? () => undefined : trackGroup(started.pid);
    started.once("exit", untrack);
    child = started;
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill(signal);
    await once(running, "exit");
  };
  launch();
  const first = await untilReady("");
  await first.query(`ALTER USER root@localhost IDENTIFIED BY '${PASSWORD}'`);
  await first.query(`CREATE OR REPLACE USER root@127.0.0.1 IDENTIFIED BY '${PASSWORD}'`);
  await first.query("GRANT ALL PRIVILEGES ON *.* TO root@127.0.0.1 WITH GRANT OPTION");
  await first.end();
  const using = async <T>(
    database: string | undefined,
    work: (client: Connection) => Promise<T>,
  ): Promise<T> => {
    const client = await connect(PASSWORD, database);
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => client.destroy());
    }
  };
  return {
    port,
    socket,
    url: (database) => `mariadb://root:${PASSWORD}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    access: (database) => ({
      connection: { host: "127.0.0.1", port, database, user: "root", tls: "disable" },
      password: PASSWORD,
    }),
    client: (database) => connect(PASSWORD, database),
    run: (database, ...statements) =>
      using(database, async (client) => {
        for (const statement of statements) await client.query(statement);
      }),
    read: (database, query) =>
      using(database, async (client) => {
        const [row] = await client.query<Record<string, unknown>[]>(query);
        return String(Object.values(row ?? {})[0]);
      }),
    createDatabase: (name) =>
      using(undefined, async (client) => {
        await client.query(`CREATE DATABASE \`${name.replaceAll("`", "``")}\` CHARACTER SET utf8mb4`);
      }),
    kill: () => end("SIGKILL"),
    async start() {
      launch();
      await (await untilReady(PASSWORD)).end();
    },
    async stop() {
      await end("SIGTERM");
      await rm(root, { recursive: true, force: true });
    },
  };
}
