import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { runCommand } from "../../process/run-command.ts";
import { probeIsolation, roleIsolation } from "../../sandbox/isolation.ts";
import { sandboxRoot } from "../../sandbox/sandbox-folder.ts";
import { findProcesses } from "../../sandbox/testing/find-processes.ts";
import { testWork } from "../../sandbox/testing/work-context.ts";
import type { TestPostgres } from "../../testing/postgres.ts";
import { startTestPostgres } from "../../testing/postgres.ts";
import type { Sandbox, SandboxRequest } from "../engine.ts";
import { startPostgresSandbox } from "./sandbox.ts";

const PATIENT = { timeout: 30_000, interval: 50 };
const REQUEST: SandboxRequest = {
  serverVersion: "15.4",
  databaseName: 'shop "live"',
  encoding: "UTF8",
  collation: "C.UTF-8",
  extensions: [],
  diskBudgetBytes: 200e6,
  hidden: [],
};

let context: Awaited<ReturnType<typeof testWork>>;
let sandbox: Sandbox | undefined;
beforeEach(async () => {
  context = await testWork();
});
afterEach(async () => {
  await sandbox?.stop();
  sandbox = undefined;
  await context.remove();
});

async function connect(to: Sandbox): Promise<Client> {
  const { host, port, user, database } = to.access.connection;
  const client = new Client({
    host: String(host),
    port: Number(port),
    user: String(user),
    database: String(database),
    ...(to.access.password === undefined ? {} : { password: to.access.password }),
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

async function ask<T>(to: Sandbox, sql: string): Promise<T[]> {
  const client = await connect(to);
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

describe("a sandbox", () => {
  it("is a server of the dumped major with an empty database like the dumped one, and is gone after stop", async () => {
    sandbox = await startPostgresSandbox(REQUEST, context.work);
    expect(sandbox.isolation).toBe((await probeIsolation()).method.mode);
    expect(sandbox.version).toMatch(/^15\./);
    const rows = await ask<Record<string, unknown>>(
      sandbox,
      `SELECT current_database() AS name, pg_encoding_to_char(encoding) AS encoding, datcollate AS collation,
       current_setting('listen_addresses') AS addresses, inet_server_addr() AS address
       FROM pg_database WHERE datname = current_database()`,
    );
    expect(rows).toEqual([
      { name: 'shop "live"', encoding: "UTF8", collation: "C.UTF-8", addresses: "", address: null },
    ]);
    const box = path.dirname(String(sandbox.access.connection.host));
    await Promise.all([sandbox.stop(), sandbox.stop()]);
    expect(existsSync(box)).toBe(false);
    expect(await findProcesses(`holdfast-${path.basename(box)}`)).toEqual([]);
  });

  it("has a uid of its own, no capabilities, no new privileges, a system call filter and limits", async () => {
    sandbox = await startPostgresSandbox(REQUEST, context.work);
    if (sandbox.isolation !== "namespaces") return;
    const box = path.basename(path.dirname(String(sandbox.access.connection.host)));
    const candidates = await findProcesses(`postgres: holdfast-${box}`);
    const [pid] = candidates;
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapPrm:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    if (process.getuid?.() === 0) expect(status).toMatch(/^Uid:\t[1-9]\d{4,}\t/m);
    const limits = await readFile(`/proc/${pid}/limits`, "utf8");
    for (const name of ["Max address space", "Max file size", "Max processes", "Max core file size"]) {
      expect(limits).toMatch(new RegExp(`^${name}\\s+\\d+\\s`, "m"));
    }
    for (const kind of ["net", "pid", "mnt", "ipc", "uts"]) {
      expect(await readlink(`/proc/${pid}/ns/${kind}`)).not.toBe(await readlink(`/proc/self/ns/${kind}`));
    }
  });

  it("stands in with the nearest major above, and says so", async () => {
    sandbox = await startPostgresSandbox({ ...REQUEST, serverVersion: "16.2" }, context.work);
    expect(Number.parseInt(sandbox.version, 10)).toBeGreaterThan(16);
    expect(sandbox.notes).toEqual([expect.stringMatching(/^PostgreSQL \d+ stands in for 16$/)]);
    expect(await ask(sandbox, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("notes a collation that is not here, and keeps the encoding", async () => {
    const request = { ...REQUEST, encoding: "LATIN1", collation: "xx_XX.iso88591" };
    sandbox = await startPostgresSandbox(request, context.work);
    expect(sandbox.notes).toEqual([
      expect.stringContaining("collation xx_XX.iso88591 is not available here"),
    ]);
    expect(await ask(sandbox, "SHOW server_encoding")).toEqual([{ server_encoding: "LATIN1" }]);
  });

  it.each(["postgres", "template", "Ünïcode 'quoted'"])("holds a database named %s", async (databaseName) => {
    sandbox = await startPostgresSandbox({ ...REQUEST, databaseName }, context.work);
    expect(await ask(sandbox, "SELECT current_database() AS name")).toEqual([{ name: databaseName }]);
  });

  it("loads the library of an extension that needs it at the start", async () => {
    const extensions = [{ name: "pg_stat_statements", version: "1.0" }];
    sandbox = await startPostgresSandbox({ ...REQUEST, extensions }, context.work);
    await ask(sandbox, "CREATE EXTENSION pg_stat_statements");
    expect(await ask(sandbox, "SELECT count(*) > 0 AS works FROM pg_stat_statements")).toEqual([
      { works: true },
    ]);
    expect(sandbox.notes).toEqual([expect.stringContaining("extension pg_stat_statements is")]);
  });

  it.each(["plperlu", "plpython3u", "no_such_thing"])("says that %s is not available here", async (name) => {
    const extensions = [{ name, version: "1.0" }];
    const started = startPostgresSandbox({ ...REQUEST, extensions }, context.work);
    await expect(started).rejects.toMatchObject({
      code: "unavailable",
      message: `extension ${name} is not available here`,
    });
    expect(await readdir(sandboxRoot(context.tempRoot)).catch(() => [])).toEqual([]);
  });

  it("says that a server older than the dump's is no use", async () => {
    const started = startPostgresSandbox({ ...REQUEST, serverVersion: "99.1" }, context.work);
    await expect(started).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/PostgreSQL 99 or newer/),
    });
  });

  it("leaves nothing when cancelled while it starts", async () => {
    const cancel = new AbortController();
    const starting = startPostgresSandbox(REQUEST, { ...context.work, signal: cancel.signal });
    await vi.waitFor(
      async () => expect(await readdir(sandboxRoot(context.tempRoot))).toHaveLength(1),
      PATIENT,
    );
    cancel.abort(new Error("cancelled by the user"));
    await expect(starting).rejects.toThrow("cancelled by the user");
    expect(await readdir(sandboxRoot(context.tempRoot))).toEqual([]);
  });

  it("is ended with the reason when it takes more disk than its budget", async () => {
    sandbox = await startPostgresSandbox({ ...REQUEST, diskBudgetBytes: 1e6 }, context.work);
    const ended = new Promise((resolve) =>
      sandbox?.ended.addEventListener("abort", () => resolve(sandbox?.ended.reason), { once: true }),
    );
    const filling = ask(
      sandbox,
      "CREATE TABLE big AS SELECT repeat(md5(i::text), 30) AS t FROM generate_series(1, 2000000) AS i",
    );
    await expect(filling).rejects.toThrow();
    expect(await ended).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/of disk, and its budget is/),
    });
  });

  it("says so when its server ends by itself", async () => {
    sandbox = await startPostgresSandbox(REQUEST, context.work);
    const { ended } = sandbox;
    const box = path.basename(path.dirname(String(sandbox.access.connection.host)));
    const [first] = await findProcesses(`cluster_name=holdfast-${box}`);
    if (first === undefined) throw new Error("the sandbox's server was not found");
    process.kill(first, "SIGKILL");
    await vi.waitFor(() => expect(ended.aborted).toBe(true), PATIENT);
    expect(ended.reason).toMatchObject({ message: expect.stringContaining("ended by itself") });
  });
});

describe("without namespaces", () => {
  it("restores as a role that is no superuser and can reach nothing", async () => {
    sandbox = await startPostgresSandbox(REQUEST, context.work, roleIsolation("the test asks for it"));
    expect(sandbox.isolation).toBe("role");
    expect(sandbox.isolationDetail).toContain("the test asks for it");
    const refused = async (sql: string) =>
      await expect(ask(sandbox as Sandbox, sql)).rejects.toMatchObject({ code: "42501" });
    await refused("COPY (SELECT 1) TO PROGRAM 'true'");
    await refused("COPY (SELECT 1) TO '/tmp/x'");
    await refused("SELECT pg_read_file('/etc/passwd')");
    await refused("CREATE EXTENSION dblink");
    await refused("SET ROLE postgres");
    await refused("ALTER SYSTEM SET fsync = on");
    await ask(sandbox, "CREATE TABLE public.t (a int); CREATE SCHEMA s");
  });

  it("refuses what only a superuser may create", async () => {
    const request = { ...REQUEST, extensions: [{ name: "dblink", version: "1.2" }] };
    const started = startPostgresSandbox(request, context.work, roleIsolation("the test asks for it"));
    await expect(started).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^extension dblink needs a superuser/),
    });
  });
});

describe("a dump whose code tries to leave", () => {
  let source: TestPostgres;
  let listener: Server;
  let socketListener: Server;
  let visits = 0;
  let outside: string;

  beforeAll(async () => {
    source = await startTestPostgres();
    // Open to everybody on this machine: only isolation stands between it and the sandbox.
    outside = await mkdtemp(path.join(tmpdir(), "hf-outside-"));
    await chmod(outside, 0o777);
    await mkdir(path.join(outside, "data/keys"), { recursive: true });
    await writeFile(path.join(outside, "data/keys/secret.key"), "the secret of the data folder");
    listener = createServer((visitor) => {
      visits += 1;
      visitor.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, "0.0.0.0", resolve));
    socketListener = createServer((visitor) => {
      visits += 1;
      visitor.destroy();
    });
    const socket = path.join(outside, ".s.PGSQL.5432");
    await new Promise<void>((resolve) => socketListener.listen(socket, resolve));
    await chmod(socket, 0o777);
  });
  afterAll(async () => {
    listener.close();
    socketListener.close();
    await rm(outside, { recursive: true, force: true });
    await source.stop();
  });

  /** Each attack, as SQL that raises an error when it fails. */
  const attacks = (port: number): Record<string, string> => ({
    program: `COPY (SELECT 1) TO PROGRAM 'echo x > ${outside}/touched'`,
    "program in tmp": `COPY (SELECT 1) TO PROGRAM 'echo x > /tmp/hf-escaped'`,
    "list of the host": `COPY public.loot FROM PROGRAM 'cd ${outside} && echo *'`,
    "program that is there": `COPY public.loot FROM PROGRAM '/usr/bin/setpriv --dump'`,
    "list of root": `INSERT INTO public.loot SELECT '/' || pg_ls_dir('/')`,
    "list of programs": `INSERT INTO public.loot SELECT '/usr/bin/' || pg_ls_dir('/usr/bin')`,
    "secret by path": `INSERT INTO public.loot SELECT pg_read_file('${outside}/data/keys/secret.key')`,
    "secret by cat": `COPY public.loot FROM '${outside}/data/keys/secret.key'`,
    "passwords of the host": `COPY public.loot FROM '/etc/shadow'`,
    "accounts of the host": `COPY public.loot FROM '/etc/passwd'`,
    "the clone": `INSERT INTO public.loot SELECT pg_ls_dir('${path.resolve(import.meta.dirname, "../../..")}')`,
    "written file": `COPY (SELECT 1) TO '${outside}/written'`,
    "written library": `COPY (SELECT 1) TO '/usr/lib/hf-written'`,
    "large object": `PERFORM lo_export(lo_from_bytea(0, 'x'), '${outside}/exported')`,
    "source server by dblink": `INSERT INTO public.loot SELECT t FROM public.dblink('host=127.0.0.1 port=${source.port} user=postgres password=test-Password-1 dbname=postgres', 'SELECT version()') AS a(t text)`,
    "listener by dblink": `PERFORM public.dblink_connect('host=127.0.0.1 port=${port} connect_timeout=3')`,
    "listener by its socket": `PERFORM public.dblink_connect('host=${outside} port=5432')`,
    "metadata service of clouds": `PERFORM public.dblink_connect('hostaddr=169.254.169.254 port=80 connect_timeout=3')`,
    "name of the world": `PERFORM public.dblink_connect('host=example.com port=5432 connect_timeout=3')`,
    "source server by its socket": `PERFORM public.dblink_connect('host=${source.socketDir} port=${source.port} user=postgres')`,
    "foreign table": `CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${port}', dbname 'x', connect_timeout '3');
      CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'x', password 'x');
      CREATE FOREIGN TABLE public.far_table (a int) SERVER far; PERFORM * FROM public.far_table`,
    "untrusted language": `CREATE EXTENSION plperlu`,
    "life of the worker": `COPY (SELECT 1) TO PROGRAM 'kill -9 ${process.pid} ${process.ppid}'`,
  });
  /** These succeed, and show no more than the sandbox itself. */
  const harmless = ["list of root", "list of programs", "accounts of the host"];

  it("reaches nothing of the host", async () => {
    const host = await probeIsolation();
    if (host.method.mode !== "namespaces") return;
    const port = (listener.address() as { port: number }).port;
    const list = attacks(port);
    await source.createDatabase("hostile");
    const client = await source.client("hostile");
    await client.query(`CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw;
      CREATE TABLE loot (t text); CREATE TABLE tried (what text, outcome text);
      CREATE TABLE bait (a int); INSERT INTO bait VALUES (1)`);
    const blocks = Object.entries(list).map(
      ([what, sql]) => `BEGIN ${sql}; INSERT INTO public.tried VALUES ('${what}', 'done');
        EXCEPTION WHEN OTHERS THEN INSERT INTO public.tried VALUES ('${what}', SQLERRM); END;`,
    );
    // The source is left in peace: only a sandbox has such a name.
    await client.query(`CREATE FUNCTION leave() RETURNS int LANGUAGE plpgsql AS $leave$ BEGIN
      IF current_setting('cluster_name') NOT LIKE 'holdfast-%' THEN RETURN 1; END IF; ${blocks.join("\n")} RETURN 1; END $leave$;
      CREATE FUNCTION quiet(a int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.leave(); END $$;
      CREATE INDEX bait_index ON bait (quiet(a))`);
    await client.end();
    const dump = path.join(context.work.tempDir, "hostile.pgdump");
    const { tempDir } = context.work;
    const env = { PGPASSWORD: "test-Password-1" };
    const dumpArgs = [
      "-Fc",
      "-h",
      "127.0.0.1",
      "-p",
      String(source.port),
      "-U",
      "postgres",
      "-f",
      dump,
      "hostile",
    ];
    await runCommand({ program: "pg_dump", args: dumpArgs, tempDir, env });

    const extensions = [
      { name: "dblink", version: "1.2" },
      { name: "postgres_fdw", version: "1.1" },
    ];
    const hidden = [path.join(outside, "data")];
    sandbox = await startPostgresSandbox({ ...REQUEST, extensions, hidden }, context.work);
    const { host: socketDir, database } = sandbox.access.connection;
    const restoreArgs = [
      "-h",
      String(socketDir),
      "-p",
      "5432",
      "-U",
      "postgres",
      "-d",
      String(database),
      dump,
    ];
    await runCommand({ program: "pg_restore", args: restoreArgs, tempDir, okCodes: [0, 1] });

    const tried = await ask<{ what: string; outcome: string }>(sandbox, "SELECT * FROM tried");
    const done = tried.filter((attack) => attack.outcome === "done").map((attack) => attack.what);
    expect(tried.map((attack) => attack.what).sort()).toEqual(Object.keys(list).sort());
    expect(done.sort()).toEqual(harmless.toSorted());
    const loot = (await ask<{ t: string }>(sandbox, "SELECT t FROM loot")).map((row) => row.t).join("\n");
    expect(loot).not.toMatch(/secret|root:|package\.json|hf-|proc|home|work|var/);
    expect(loot).toContain("/sandbox");
    expect(loot.match(/^\/usr\/bin\/.*$/gm)?.sort()).toEqual(["/usr/bin/prlimit", "/usr/bin/setpriv"]);
    expect(await readdir(outside)).toEqual([".s.PGSQL.5432", "data"]);
    expect(existsSync("/tmp/hf-escaped")).toBe(false);
    expect(existsSync("/usr/lib/hf-written")).toBe(false);
    expect(visits).toBe(0);
  });

  it("takes the sessions that it left in the background with it", async () => {
    const extensions = [{ name: "dblink", version: "1.2" }];
    sandbox = await startPostgresSandbox({ ...REQUEST, extensions }, context.work);
    const { host, database } = sandbox.access.connection;
    const itself = `host=/socket dbname='${String(database)}' user=postgres application_name=background`;
    const client = await connect(sandbox);
    await client.query("CREATE EXTENSION dblink");
    await client.query("SELECT dblink_connect('b', $1)", [itself]);
    await client.query("SELECT dblink_send_query('b', 'SELECT pg_sleep(600)')");
    const sessions = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'background'";
    expect(await ask(sandbox, sessions)).toEqual([{ n: 1 }]);
    await sandbox.stop();
    await client.end().catch(() => undefined);
    expect(await findProcesses(`holdfast-${path.basename(path.dirname(String(host)))}`)).toEqual([]);
    expect(await readdir(sandboxRoot(context.tempRoot))).toEqual([]);
  });
});
