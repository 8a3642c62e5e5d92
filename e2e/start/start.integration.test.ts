import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
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

async function failedStart(env: Record<string, string>, data = path.join(folder, "other")) {
  const { exited, console: said } = spawnInstall({ port: await freePort(), dataFolder: data, env });
  return { code: await exited, said: said().trim() };
}

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
    const { code, said } = await failedStart({}, dataFolder);
    expect(code).toBe(1);
    expect(said).toBe(
      `Holdfast already runs on the data folder ${dataFolder} (process ${supervisor()}, ${install.url}). Stop that one with: kill ${supervisor()}`,
    );
  });

  test.each(["bin/web.ts", "worker/index.ts"])(
    "starts %s again after kill -9, and says so",
    async (script) => {
      const before = findBelow(supervisor(), script).pid;
      process.kill(before, "SIGKILL");
      await vi.waitFor(() => expect(findBelow(supervisor(), script).pid).not.toBe(before), WAIT);
      await vi.waitFor(async () => expect((await ready()).status).toBe(200), WAIT);
      expect(install.console()).toMatch(/(web|worker) ended by SIGKILL; starting it again in 1 s \(log: /);
    },
  );

  test("starts its Postgres again after it was killed", async () => {
    const before = findBelow(supervisor(), "/bin/postgres").pid;
    process.kill(before, "SIGKILL");
    await vi.waitFor(() => expect(findBelow(supervisor(), "/bin/postgres -D").pid).not.toBe(before), WAIT);
    await vi.waitFor(async () => expect((await ready()).status).toBe(200), WAIT);
  });

  test("ends with a supervisor that is killed, and the next start tidies up and goes on", async () => {
    const pids = descendants(supervisor());
    process.kill(supervisor(), "SIGKILL");
    const ours = pids.filter(({ command }) => !command.includes("postgres"));
    await vi.waitFor(() => expect(ours.filter(({ pid }) => isAlive(pid))).toEqual([]), WAIT);
    install = await startInstall({ port, dataFolder });
    expect(install.console()).toContain(
      "Stopped the embedded Postgres that an earlier start had left running.",
    );
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

  test("shows a sample company, proven, when asked for the demo", async () => {
    install = await startInstall({ port, dataFolder, args: ["--demo"] });
    const proven = "Demo: shop-production proven, shop-staging proven, kiosk proven";
    await vi.waitFor(() => expect(install.console()).toContain("Demo: shop-production"), {
      ...WAIT,
      timeout: 300_000,
    });
    expect(install.console()).toContain(proven);
  }, 360_000);
});

describe("a start that can't be", () => {
  test("names a wrong setting and why", async () => {
    const { code, said } = await failedStart({ HOLDFAST_CONCURRENCY: "many" });
    expect(code).toBe(1);
    expect(said).toMatch(/^Wrong setting\. HOLDFAST_CONCURRENCY: .*docs\/settings\.md lists all settings\.$/);
  });

  test("names the setting that chooses another port", async () => {
    const other = createServer();
    const taken = await freePort();
    await new Promise<void>((resolve) => other.listen(taken, "127.0.0.1", resolve));
    const { code, said } = await failedStart({ PORT: String(taken) });
    other.close();
    expect(code).toBe(1);
    expect(said).toBe(
      `Port ${taken} on 127.0.0.1 is taken by another program. Choose another with PORT: PORT=${taken + 1} npm start`,
    );
  });

  test("says why its data folder can't be written", async () => {
    const file = path.join(folder, "file");
    writeFileSync(file, "");
    const { code, said } = await failedStart({}, file);
    expect(code).toBe(1);
    expect(said).toContain(`The data folder ${file} cannot be written (a file is in the way).`);
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
