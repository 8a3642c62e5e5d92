import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { canReach } from "../../lib/embedded/postgres-server.ts";
import { ROOT } from "../../lib/root.ts";
import { ensureBuilt, ensureGenerated } from "../../lib/start/build.ts";
import { readRunFile } from "../../lib/start/run-file.ts";
import { freePort } from "../../lib/testing/postgres.ts";
import type { Install } from "../install.ts";
import { spawnInstall, startInstall } from "../install.ts";
import { descendants, findBelow, isAlive } from "./processes.ts";

const NOBODY = 65_534;
const WAIT = { timeout: 60_000, interval: 100 };

let folder: string;
let port: number;
let dataFolder: string;
let install: Install;

beforeAll(async () => {
  await ensureGenerated();
  await ensureBuilt();
  folder = mkdtempSync(path.join(tmpdir(), "hf-e2e-start-"));
  chmodSync(folder, 0o755);
  port = await freePort();
  dataFolder = path.join(folder, "data");
  install = await startInstall({ port, dataFolder });
}, 600_000);
afterAll(async () => {
  await install?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const ready = async () => {
  const response = await fetch(`${install.url}/api/readyz`);
  return { status: response.status, body: (await response.json()) as unknown };
};
const supervisor = () => readRunFile(dataFolder)?.pid ?? 0;

/** In the install's own database, as its owner. */
async function query(text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: readRunFile(dataFolder)?.ownerDatabaseUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}
/** When the install was made. */
const MADE_AT = "SELECT value FROM setting WHERE key = 'defaults'";
/** What a start does last, making a claim token, waits for a row of `go`. */
const HOLD_READY_LINE = `
  CREATE TABLE go (); CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    WHILE NOT EXISTS (SELECT FROM public.go) LOOP PERFORM pg_sleep(0.05); END LOOP; RETURN NEW; END $$;
  CREATE TRIGGER hold BEFORE UPDATE ON install FOR EACH ROW EXECUTE FUNCTION hold()`;
const HELD = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query ILIKE '%install%'";

describe("a running install", () => {
  test("says where it is and how to claim it, and is ready in every part", async () => {
    expect(install.url).toBe(`http://localhost:${port}`);
    expect(install.claimToken).toMatch(/^[\w-]{20,}$/);
    expect(await ready()).toEqual({
      status: 200,
      body: { ready: true, checks: { database: "ok", migrations: "ok", worker: "ok" } },
    });
    const live = await fetch(`${install.url}/api/livez`);
    expect([live.status, await live.json()]).toEqual([200, { status: "ok" }]);
  });

  test("is named to a second start on the same data folder", async () => {
    const { exited, console: said } = spawnInstall({ port: await freePort(), dataFolder });
    expect(await exited).toBe(1);
    expect(said().trim()).toBe(
      `Holdfast already runs on the data folder ${dataFolder} (process ${supervisor()}, ${install.url}). Stop that one with: kill ${supervisor()}`,
    );
  });

  test.each([
    ["web", "bin/web.ts", "web ended by SIGKILL"],
    ["worker", "worker/index.ts", "worker ended by SIGKILL"],
    ["postgres", "/bin/postgres -D", "The embedded Postgres ended"],
  ])(
    "starts its %s again after kill -9, later each time, says so and logs it",
    async (name, command, ended) => {
      const log = path.join(dataFolder, "logs", `${name}.log`);
      for (const seconds of [1, 2]) {
        const before = findBelow(supervisor(), command).pid;
        process.kill(before, "SIGKILL");
        await vi.waitFor(() => expect(findBelow(supervisor(), command).pid).not.toBe(before), WAIT);
        await vi.waitFor(async () => expect((await ready()).status).toBe(200), WAIT);
        const what = `${ended}; starting it again in ${seconds} s`;
        expect(install.console()).toContain(`${what} (log: ${log})`);
        expect(readFileSync(log, "utf8")).toContain(what);
      }
    },
  );

  test("ends whole with a supervisor that is killed, and the next start goes on", async () => {
    const pids = descendants(supervisor()).map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThan(3);
    process.kill(supervisor(), "SIGKILL");
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), WAIT);
    install = await startInstall({ port, dataFolder });
    expect((await ready()).status).toBe(200);
  });

  test("tidies up after one that was killed with all but its Postgres", async () => {
    const left = findBelow(supervisor(), "/bin/postgres -D").pid;
    const pids = [supervisor(), ...descendants(supervisor()).map(({ pid }) => pid)];
    const servers = [left, ...descendants(left).map(({ pid }) => pid)];
    for (const pid of pids.filter((one) => !servers.includes(one))) process.kill(pid, "SIGKILL");
    install = await startInstall({ port, dataFolder });
    expect(install.console()).toContain(
      "Stopped the embedded Postgres that an earlier start had left running.",
    );
    expect(isAlive(left)).toBe(false);
    expect((await ready()).status).toBe(200);
  });

  test("ends whole, and with code 0, on Ctrl-C", async () => {
    const pids = [supervisor(), ...descendants(supervisor()).map(({ pid }) => pid)];
    expect(pids.length).toBeGreaterThan(3);
    const socketFolder =
      new URL(readRunFile(dataFolder)?.ownerDatabaseUrl ?? "").searchParams.get("host") ?? "";
    expect(existsSync(socketFolder)).toBe(true);
    expect(await install.stop()).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(readRunFile(dataFolder)).toBeNull();
    expect(existsSync(socketFolder)).toBe(false);
  });

  test("ends at once on a second Ctrl-C, though its parts don't, and loses nothing", async () => {
    install = await startInstall({ port, dataFolder });
    const before = await query(MADE_AT);
    expect(before).toHaveLength(1);
    const below = descendants(supervisor());
    const pids = [supervisor(), ...below.map(({ pid }) => pid)];
    for (const { pid, command } of below)
      if (/bin\/web|worker\/index/.test(command)) process.kill(pid, "SIGSTOP");
    install.child.kill("SIGINT");
    await vi.waitFor(() => expect(install.console()).toContain("Stopping; once more to force it."), WAIT);
    // Two within a second count as one.
    await vi.waitFor(() => {
      install.child.kill("SIGINT");
      expect(pids.filter(isAlive)).toEqual([]);
    }, WAIT);
    expect(readFileSync(path.join(dataFolder, "logs/postgres.log"), "utf8")).toContain(
      "received immediate shutdown request",
    );
    install = await startInstall({ port, dataFolder });
    expect(await query(MADE_AT)).toEqual(before);
  });

  test("ends on a Ctrl-C that comes in the last moment of its start", async () => {
    await query(HOLD_READY_LINE);
    await install.stop();
    const { child, exited, console: said } = spawnInstall({ port, dataFolder });
    await vi.waitFor(async () => expect(await query(HELD)).toHaveLength(1), WAIT);
    child.kill("SIGINT");
    await vi.waitFor(() => expect(said()).toContain("Stopping"), WAIT);
    await query("INSERT INTO go DEFAULT VALUES");
    expect(await exited).toBe(0);
  });

  test("ends whole when what started it is killed", async () => {
    install = await startInstall({ port, dataFolder });
    const pids = [supervisor(), ...descendants(supervisor()).map(({ pid }) => pid)];
    install.child.kill("SIGKILL");
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), WAIT);
  });

  test("ends whole when npm is ended, which does not tell", async () => {
    install = await startInstall({ port, dataFolder, npm: true, env: { HOLDFAST_SUPERVISED: "" } });
    const pids = [supervisor(), ...descendants(supervisor()).map(({ pid }) => pid)];
    install.child.kill("SIGTERM");
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), WAIT);
  });
});

// As an ordinary user all of the above ran as one; as root one more start does, where that user can read the clone.
const nobody = { uid: NOBODY, gid: NOBODY };
if (process.getuid?.() === 0 && canReach(nobody, path.join(ROOT, "node_modules"))) {
  test("runs as an ordinary user as well", async () => {
    const home = path.join(folder, "nobody");
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    const own = path.join(home, "data");
    const other = await startInstall({
      port: await freePort(),
      dataFolder: own,
      ...nobody,
      env: { HOME: home },
    });
    expect((await fetch(`${other.url}/api/readyz`)).status).toBe(200);
    const closed = path.join(folder, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const { exited, console: said } = spawnInstall({
      port: await freePort(),
      dataFolder: closed,
      ...nobody,
      env: { HOME: home },
    });
    expect(await exited).toBe(1);
    expect(said()).toContain(`The data folder ${closed} cannot be written (permission denied).`);
    expect(said()).toContain("chown");
    expect(await other.stop()).toBe(0);
  }, 300_000);
}
