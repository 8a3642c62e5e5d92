import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ROOT } from "../../root.ts";
import { findProgram } from "../../sandbox/isolation.ts";
import { makeSandboxFolder } from "../../sandbox/sandbox-folder.ts";
import { newSandboxUser } from "../../sandbox/sandbox-user.ts";
import { findProcesses } from "../../sandbox/testing/find-processes.ts";
import { programOnHost } from "./sandbox-program.ts";
import { makeTimeBomb, programIn, type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

const PATIENT = { timeout: 30_000, interval: 50 };

let here: SqliteFolder;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(() => here.remove());

it("runs in its place where the sandbox's user can look", async () => {
  const folder = await makeSandboxFolder(here.tempRoot, null, "unused");
  const { command, programs } = await programOnHost(folder);
  expect(command[0]).toBe(process.execPath);
  expect(command).toContain(path.join(ROOT, "lib/engines/sqlite/sandbox-child.ts"));
  expect(programs).toEqual([]);
  await folder.remove();
});

it("says so when the folder itself is out of reach", async () => {
  const user = await newSandboxUser();
  const folder = await makeSandboxFolder(here.tempRoot, user, "unused");
  await chmod(here.tempRoot, 0o700);
  const program = programOnHost(folder);
  // As an ordinary user the sandbox is oneself, and whatever one reaches is in reach.
  if (user)
    await expect(program).rejects.toMatchObject({
      code: "unavailable",
      remedy: expect.stringContaining("HOLDFAST_TEMP"),
    });
  else expect((await program).command[0]).toBe(process.execPath);
  await folder.remove();
});

it("runs from a copy where the clone lies out of the sandbox's user's reach", async () => {
  const clone = path.join(here.tempRoot, "private", "clone");
  await mkdir(clone, { recursive: true });
  await chmod(path.dirname(clone), 0o700);
  makeTimeBomb(here.file);
  const node = path.join(clone, path.relative(ROOT, process.execPath));
  const script = path.join(clone, "lib/engines/sqlite/testing/hold-sandbox.ts");
  const outer = ["--dev-bind", "/", "/", "--ro-bind", ROOT, clone, "--"];
  const bwrap = process.getuid?.() === 0 ? findProgram("bwrap") : null;
  const moved = bwrap !== null && spawnSync(bwrap, [...outer, "true"]).status === 0;
  const [program = "", ...args] = moved
    ? [bwrap, ...outer, node, script]
    : [process.execPath, script.replace(clone, ROOT)];
  const worker = spawn(program, [...args, here.work.tempDir, "plain", here.file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(worker, "exit");
  const [line] = await Promise.race([once(worker.stdout.setEncoding("utf8"), "data"), exited]);
  const { sandbox, pid } = JSON.parse(String(line)) as { sandbox: string; pid: number };
  const inside = await programIn({ access: { connection: { sandbox } } });
  const [command = ""] = (await readFile(`/proc/${inside}/cmdline`, "utf8")).split("\0");
  const status = await readFile(`/proc/${inside}/status`, "utf8");
  process.kill(pid, "SIGKILL");
  await exited;
  await vi.waitFor(async () => expect(await findProcesses(`holdfast-${sandbox}`)).toEqual([]), PATIENT);
  // Where nothing can be moved out of reach, it runs in its place.
  expect(command.endsWith(moved ? `${sandbox}/programs/node` : process.execPath)).toBe(true);
  if (process.getuid?.() === 0) expect(status).toMatch(/^Uid:\t[1-9]\d{4,}\t/m);
});
