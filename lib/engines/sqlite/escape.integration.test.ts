import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { ProofCheck } from "../../proof/schema.ts";
import { ROOT } from "../../root.ts";
import { roleIsolation } from "../../sandbox/isolation.ts";
import { defaultLimits } from "../../sandbox/limits.ts";
import type { Sandbox } from "../engine.ts";
import { sqliteEngine } from "./engine.ts";
import { startSqliteSandbox } from "./sandbox.ts";
import type { SandboxOptions } from "./sandbox-start.ts";
import type { Targets } from "./testing/escape-child.ts";
import { noTables, REQUEST, type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

const PROGRAM = "lib/engines/sqlite/testing/escape-child.ts";
const ROOT_USER = process.getuid?.() === 0;
const GIB = 1024 ** 3;

/** Open to everybody on this machine but for its secret: only isolation stands between it and the sandbox. */
let outside: string;
/** Stands for the worker, which would not survive a test of this that fails. */
let victim: ChildProcess;
let port: Server;
let socket: Server;
let visits = 0;
beforeAll(async () => {
  outside = await mkdtemp(path.join(tmpdir(), "hf-outside-"));
  await chmod(outside, 0o777);
  await mkdir(path.join(outside, "data"));
  await writeFile(path.join(outside, "data/secret.key"), "the secret of the data folder", { mode: 0o600 });
  victim = spawn("sleep", ["600"], { stdio: "ignore" });
  const visit = (visitor: { destroy(): void }) => {
    visits += 1;
    visitor.destroy();
  };
  port = createServer(visit);
  await new Promise<void>((resolve) => port.listen(0, "0.0.0.0", resolve));
  socket = createServer(visit);
  await new Promise<void>((resolve) => socket.listen(path.join(outside, "s"), resolve));
  await chmod(path.join(outside, "s"), 0o777);
});
afterAll(async () => {
  victim.kill("SIGKILL");
  port.close();
  socket.close();
  await rm(outside, { recursive: true, force: true });
});

let here: SqliteFolder;
let sandbox: Sandbox;
beforeEach(async () => {
  here = await sqliteFolder();
  visits = 0;
});
afterEach(async () => {
  await sandbox.stop();
  await here.remove();
});

/** What a program that was taken over could do, and what it saw. */
async function tryToEscape(options: SandboxOptions): Promise<{ done: string[]; seen: string }> {
  process.env.HOLDFAST_TEST_SECRET = "not to be seen";
  sandbox = await startSqliteSandbox(REQUEST, here.work, { ...options, program: PROGRAM });
  delete process.env.HOLDFAST_TEST_SECRET;
  const targets: Targets = {
    secret: path.join(outside, "data/secret.key"),
    open: outside,
    temporary: `${outside}-written`,
    port: (port.address() as { port: number }).port,
    socket: path.join(outside, "s"),
    pid: victim.pid ?? Number.NaN,
    clone: ROOT,
  };
  const told = { ...noTables(), takenAt: JSON.stringify(targets) };
  await sqliteEngine.fingerprint(sandbox.access, told, here.work);
  const tried = await sqliteEngine.checkRestored(sandbox.access, here.work);
  const done = tried.filter((attack) => attack.state === "passed");
  return {
    done: done.map((attack) => attack.name).sort(),
    seen: done.map((attack) => attack.detail).join("\n"),
  };
}

it("a program that was taken over reaches nothing of the host", async () => {
  const { done, seen } = await tryToEscape({});
  if (sandbox.isolation !== "namespaces") {
    expect(sandbox.isolationDetail).toMatch(/^no namespaces \(/);
    return;
  }
  expect(done).toEqual(["list the root", "read the accounts of the host"]);
  expect(seen).toContain("dev etc lib");
  expect(seen).toContain("sandbox:x:");
  expect(seen).not.toMatch(/root:|proc|home|work|tmp|var/);
  expect(await readdir(outside)).toEqual(["data", "s"]);
  expect(existsSync(`${outside}-written`)).toBe(false);
  expect(visits).toBe(0);
  expect(victim.signalCode).toBeNull();
});

it("without namespaces it still has no secret, no way to the worker, and none of its environment", async () => {
  const { done } = await tryToEscape({ isolation: roleIsolation("the test asks for it") });
  await rm(`${outside}-written`, { force: true });
  await rm(path.join(outside, "touched"), { force: true });
  expect(done).not.toContain("see the worker's environment");
  if (!ROOT_USER) {
    // As the worker's own user it could: that is what the proof says.
    expect(sandbox).toMatchObject({ isolation: "none" });
    expect(sandbox.isolationDetail).toContain("the worker's own uid");
    return;
  }
  expect(sandbox).toMatchObject({ isolation: "role" });
  for (const attack of [
    "read a secret",
    "read the passwords of the host",
    "end the worker",
    "write over its program",
  ]) {
    expect(done).not.toContain(attack);
  }
});

const take = async (name: string): Promise<ProofCheck | undefined> =>
  (await sqliteEngine.checkRestored(sandbox.access, here.work)).find((check) => check.name === name);

it("it can't take memory without end", async () => {
  sandbox = await startSqliteSandbox({ ...REQUEST, diskBudgetBytes: 1e9 }, here.work, { program: PROGRAM });
  const taken = await take("memory");
  const limit = defaultLimits().memoryBytes / GIB + 1.5;
  expect(Number(taken?.detail)).toBeLessThan(limit);
});

it("it can't fill the disk with many files", async () => {
  sandbox = await startSqliteSandbox({ ...REQUEST, diskBudgetBytes: 20e6 }, here.work, { program: PROGRAM });
  await take("disk").catch(() => undefined);
  await vi.waitFor(() => expect(sandbox.ended.aborted).toBe(true), { timeout: 30_000, interval: 20 });
  expect(sandbox.ended.reason).toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/of disk, and its budget is 20 MB/),
  });
});
