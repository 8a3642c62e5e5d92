// Proves a SQLite file and starts a PostgreSQL sandbox as whoever runs this; tells what isolation they had and what
// can be reached from inside. For ordinary-user.integration.test.ts.
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Client } from "pg";
import type { Sandbox, SandboxRequest, WorkContext } from "../../engines/engine.ts";
import { postgresEngine } from "../../engines/postgres/postgres-engine.ts";
import { sqliteEngine } from "../../engines/sqlite/engine.ts";
import { startSqliteSandbox } from "../../engines/sqlite/sandbox.ts";
import type { Targets } from "../../engines/sqlite/testing/escape-child.ts";
import { messageOf } from "../../errors.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import { findProgram } from "../isolation.ts";
import { findProcesses } from "./find-processes.ts";

export interface Told {
  uid: number;
  /** Found out without our own probe: whether this user may make namespaces. */
  allowed: boolean;
  sqlite: Apart & { equal: boolean };
  postgres: Apart;
}

export interface Apart {
  isolation: string;
  detail: string;
  /** Of the program inside, on the host (proc(5)). */
  status: string;
  /** What a hostile dump's code could do: names of attacks. */
  done: string[];
}

const [folder = ""] = process.argv.slice(2);
const tempDir = path.join(folder, "work");
const secret = path.join(folder, "secret.key");
await mkdir(tempDir, { mode: 0o700 });
// The worker's own: no uid stands before it, only what a sandbox sees.
await writeFile(secret, "the secret of the data folder", { mode: 0o600 });
const work: WorkContext = {
  signal: new AbortController().signal,
  log: () => undefined,
  progress: () => undefined,
  tempDir,
  applicationName: "holdfast:test",
};
const request: SandboxRequest = {
  serverVersion: "15.0",
  databaseName: "shop",
  encoding: "UTF8",
  collation: "C",
  extensions: [],
  diskBudgetBytes: 1e9,
  hidden: [folder],
};

async function statusOf(name: string, program: RegExp): Promise<string> {
  for (const pid of await findProcesses(name)) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (program.test(/^Name:\t(.*)$/m.exec(status)?.[1] ?? "")) return status;
  }
  throw new Error(`nothing runs under the name ${name}`);
}

async function proveSqlite(): Promise<boolean> {
  const file = path.join(folder, "kiosk.sqlite");
  const database = new DatabaseSync(file);
  database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), ('two'), (x'03')");
  database.close();
  const dump = await sqliteEngine.beginDump(
    { connection: { file } },
    { lockWaitMs: 5_000, digestBudgetMs: 60_000 },
    work,
  );
  const bytes = await buffer(dump.artefacts[0]?.open().stream ?? Readable.from([]));
  const like = await dump.fingerprint();
  await dump.close();
  const { access, stop } = await sqliteEngine.startSandbox(request, work);
  const options = { jobs: 1, spoolDir: null, owners: false };
  await sqliteEngine.restore(access, async () => Readable.from([bytes]), options, work);
  const { equal } = compareFingerprints(like, await sqliteEngine.fingerprint(access, like, work));
  await stop();
  return equal;
}

async function escapeSqlite(): Promise<Apart> {
  const program = "lib/engines/sqlite/testing/escape-child.ts";
  const sandbox = await startSqliteSandbox(request, work, { program });
  const status = await statusOf(`holdfast-${sandbox.access.connection.sandbox}`, /^(node|MainThread)$/);
  const targets: Targets = {
    secret,
    open: folder,
    temporary: path.join(folder, "escaped"),
    port: 1,
    socket: path.join(folder, "none"),
    pid: 2 ** 22 + 1,
    clone: folder,
  };
  const none = { digest: null, method: "" };
  const told = {
    format: 1,
    engine: "",
    serverVersion: "",
    takenAt: JSON.stringify(targets),
    schema: none,
  } as const;
  const rest = { tables: [], sequences: [], extensions: [], largeObjects: null, notCompared: [] };
  await sqliteEngine.fingerprint(sandbox.access, { ...told, ...rest }, work);
  const tried = await sqliteEngine.checkRestored(sandbox.access, work);
  await sandbox.stop();
  return apart(
    sandbox,
    status,
    tried.filter(({ state }) => state === "passed").map(({ name }) => name),
  );
}

async function escapePostgres(): Promise<Apart> {
  const sandbox = await postgresEngine.startSandbox(request, work);
  const { connection, password } = sandbox.access;
  const client = new Client({ ...connection, ...(password === undefined ? {} : { password }) });
  await client.connect();
  const attacks = {
    "read a secret": `SELECT pg_read_file('${secret}')`,
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "write where the worker may": `COPY (SELECT 1) TO '${folder}/written'`,
    "make a table": "CREATE TABLE made (a int)",
  };
  const done: string[] = [];
  for (const [name, sql] of Object.entries(attacks)) {
    await client.query(sql).then(
      () => done.push(name),
      () => undefined,
    );
  }
  const box = path.basename(path.dirname(String(connection.host)));
  const status = await statusOf(`postgres: holdfast-${box}`, /^postgres$/);
  await client.end();
  await sandbox.stop();
  return apart(sandbox, status, done);
}

function apart({ isolation, isolationDetail }: Sandbox, status: string, done: string[]): Apart {
  return { isolation, detail: isolationDetail, status, done: done.sort() };
}

try {
  const bwrap = findProgram("bwrap");
  const trial = ["--unshare-user", "--unshare-pid", "--unshare-net", "--dev-bind", "/", "/", "true"];
  const told: Told = {
    uid: process.getuid?.() ?? -1,
    allowed: bwrap !== null && spawnSync(bwrap, trial).status === 0,
    sqlite: { ...(await escapeSqlite()), equal: await proveSqlite() },
    postgres: await escapePostgres(),
  };
  process.stdout.write(JSON.stringify(told));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n${error instanceof Error ? error.stack : ""}\n`);
  process.exit(1);
}
