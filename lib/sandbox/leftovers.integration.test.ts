import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sweepLeftovers } from "./leftovers.ts";
import { makeSandboxFolder, sandboxRoot } from "./sandbox-folder.ts";
import { findProcesses } from "./testing/find-processes.ts";
import { testWork } from "./testing/work-context.ts";

const HOLDER = path.join(import.meta.dirname, "testing/hold-sandbox.ts");
const PATIENT = { timeout: 30_000, interval: 50 };

let context: Awaited<ReturnType<typeof testWork>>;
beforeEach(async () => {
  context = await testWork();
});
afterEach(() => context.remove());

describe.each(["namespaces", "role"])("a worker killed with SIGKILL (%s)", (mode) => {
  it("leaves no server, and after the sweep no folder", async () => {
    const worker = spawn(process.execPath, [HOLDER, context.work.tempDir, mode], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(worker, "exit");
    const [line] = await once(worker.stdout.setEncoding("utf8"), "data");
    const { host } = JSON.parse(String(line)) as { host: string };
    const box = path.dirname(host);
    const cluster = `cluster_name=holdfast-${path.basename(box)}`;
    expect(existsSync(path.join(host, ".s.PGSQL.5432"))).toBe(true);
    expect(await findProcesses(cluster)).not.toEqual([]);
    expect(await sweepLeftovers(context.tempRoot)).toEqual({ folders: 0, processes: 0 });

    worker.kill("SIGKILL");
    await exited;
    await vi.waitFor(async () => {
      expect(await findProcesses(cluster)).toEqual([]);
      expect(await findProcesses(`postgres: holdfast-${path.basename(box)}`)).toEqual([]);
    }, PATIENT);
    expect(existsSync(box)).toBe(true);
    expect((await sweepLeftovers(context.tempRoot)).folders).toBe(1);
    expect(await readdir(sandboxRoot(context.tempRoot))).toEqual([]);
  });
});

describe("the sweep", () => {
  it("leaves a live owner's sandbox alone", async () => {
    const folder = await makeSandboxFolder(context.tempRoot, null, "s");
    expect(await sweepLeftovers(context.tempRoot)).toEqual({ folders: 0, processes: 0 });
    expect(existsSync(folder.box)).toBe(true);
    await folder.remove();
    expect(existsSync(folder.root)).toBe(false);
  });

  it("ends a server that outlived its owner, and never another process with that number", async () => {
    const left = spawn("sleep", ["600"], { stdio: "ignore" });
    const other = spawn("sleep", ["600"], { stdio: "ignore" });
    const exited = once(left, "exit");
    const folder = await makeSandboxFolder(context.tempRoot, null, "s");
    const strange = await makeSandboxFolder(context.tempRoot, null, "s");
    const forge = async (at: string, pid: number, startTime?: string) => {
      const file = path.join(at, "owner.json");
      const record = JSON.parse(await readFile(file, "utf8"));
      record.owner = { pid: 2 ** 22 + 1, startTime: "1" };
      if (startTime) record.server = { pid, startTime };
      await writeFile(file, JSON.stringify(record));
    };
    await folder.claim(left.pid ?? 0);
    await forge(folder.root, 0);
    await forge(strange.root, other.pid ?? 0, "1");
    expect(await sweepLeftovers(context.tempRoot)).toEqual({ folders: 2, processes: 1 });
    await exited;
    expect(left.signalCode).toBe("SIGQUIT");
    expect(other.exitCode ?? other.signalCode).toBeNull();
    other.kill("SIGKILL");
  });

  it("leaves another machine's sandbox alone while its mark is fresh, and removes it when stale", async () => {
    const folder = await makeSandboxFolder(context.tempRoot, null, "s");
    const file = path.join(folder.root, "owner.json");
    const record = {
      space: "other host",
      owner: { pid: 1, startTime: "1" },
      server: null,
      socketDir: folder.socketDir,
    };
    await writeFile(file, JSON.stringify(record));
    expect((await sweepLeftovers(context.tempRoot)).folders).toBe(0);
    const old = new Date(Date.now() - 3_600_000);
    await utimes(file, old, old);
    expect((await sweepLeftovers(context.tempRoot)).folders).toBe(1);
  });

  it("removes a folder that never got its mark once it is old", async () => {
    const root = path.join(sandboxRoot(context.tempRoot), "unmarked");
    await mkdir(root, { recursive: true });
    expect((await sweepLeftovers(context.tempRoot)).folders).toBe(0);
    const old = new Date(Date.now() - 60_000);
    await utimes(root, old, old);
    expect((await sweepLeftovers(context.tempRoot)).folders).toBe(1);
  });

  it("puts the socket in a short folder when the place is deep, and removes that too", async () => {
    const deep = path.join(context.tempRoot, "d".repeat(90));
    await mkdir(deep);
    const folder = await makeSandboxFolder(deep, null, ".s.PGSQL.5432");
    expect(folder.socketDir.startsWith(folder.root)).toBe(false);
    expect(path.join(folder.socketDir, ".s.PGSQL.5432").length).toBeLessThan(104);
    await folder.remove();
    expect(existsSync(path.dirname(folder.socketDir))).toBe(false);
  });
});
