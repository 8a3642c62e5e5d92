import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sweepLeftovers } from "../../sandbox/leftovers.ts";
import { sandboxRoot } from "../../sandbox/sandbox-folder.ts";
import { findProcesses } from "../../sandbox/testing/find-processes.ts";
import { makeTimeBomb, programIn, type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

const HOLDER = path.join(import.meta.dirname, "testing/hold-sandbox.ts");
const PATIENT = { timeout: 30_000, interval: 50 };

let here: SqliteFolder;
let worker: ChildProcess;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(async () => {
  worker.kill("SIGKILL");
  await here.remove();
});

it.each(["namespaces", "plain"])(
  "a worker killed while its sandbox is deep in a file (%s) leaves no process, and after the sweep no folder",
  async (mode) => {
    makeTimeBomb(here.file);
    worker = spawn(process.execPath, [HOLDER, here.work.tempDir, mode, here.file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(worker, "exit");
    const [line] = await once(worker.stdout?.setEncoding("utf8") ?? worker, "data");
    const connection = JSON.parse(String(line)) as { sandbox: string };
    const name = `holdfast-${connection.sandbox}`;
    // It has taken the whole file, and checks it from now on.
    const box = path.join(sandboxRoot(here.tempRoot), connection.sandbox, "box");
    await vi.waitFor(async () => expect(await readdir(box)).toHaveLength(1), PATIENT);
    await programIn({ access: { connection } });
    expect(await sweepLeftovers(here.tempRoot)).toEqual({ folders: 0, processes: 0 });

    worker.kill("SIGKILL");
    await exited;
    await vi.waitFor(async () => expect(await findProcesses(name)).toEqual([]), PATIENT);
    expect((await sweepLeftovers(here.tempRoot)).folders).toBe(1);
    expect(await readdir(sandboxRoot(here.tempRoot))).toEqual([]);
  },
);
