import { existsSync } from "node:fs";
import { chmod, readdir, readFile, readlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compareFingerprints } from "../../proof/compare.ts";
import { probeIsolation, roleIsolation } from "../../sandbox/isolation.ts";
import { sandboxRoot } from "../../sandbox/sandbox-folder.ts";
import { findProcesses } from "../../sandbox/testing/find-processes.ts";
import type { Sandbox } from "../engine.ts";
import { sqliteEngine } from "./engine.ts";
import { startSqliteSandbox } from "./sandbox.ts";
import type { SandboxOptions } from "./sandbox-start.ts";
import {
  makeTimeBomb,
  noTables,
  programIn,
  REQUEST,
  SHAPES,
  type SqliteFolder,
  sqliteFolder,
} from "./testing/sqlite-files.ts";

const PATIENT = { timeout: 30_000, interval: 20 };
const ROOT_USER = process.getuid?.() === 0;
const PLAIN = { isolation: roleIsolation("the test asks for it") };
const OPTIONS = { jobs: 1, spoolDir: null, owners: false };

let here: SqliteFolder;
let sandbox: Sandbox | undefined;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(async () => {
  await sandbox?.stop();
  sandbox = undefined;
  expect(await readdir(sandboxRoot(here.tempRoot)).catch(() => [])).toEqual([]);
  await here.remove();
});

async function start(
  options: SandboxOptions = {},
  diskBudgetBytes = 1e9,
  work = here.work,
): Promise<Sandbox> {
  sandbox = await startSqliteSandbox({ ...REQUEST, diskBudgetBytes }, work, options);
  return sandbox;
}

const restore = (bytes: Buffer | Readable, work = here.work) =>
  sqliteEngine.restore(
    sandbox?.access ?? { connection: {} },
    async () => (bytes instanceof Readable ? bytes : Readable.from([bytes])),
    OPTIONS,
    work,
  );

async function bomb(): Promise<Buffer> {
  makeTimeBomb(here.file);
  return await readFile(here.file);
}

describe.each([
  ["as the host allows", {}],
  ["without namespaces", PLAIN],
])("a sandbox of a SQLite file, %s", (_how, options) => {
  it("proves a copy equal, says what it had, and leaves nothing", async () => {
    here.write(SHAPES);
    const { bytes, fingerprint } = await here.dump();
    const { access, isolation, isolationDetail, version, stop } = await start(options);
    const namespaces = options !== PLAIN && (await probeIsolation()).method.mode === "namespaces";
    expect(isolation).toBe(namespaces ? "namespaces" : ROOT_USER ? "role" : "none");
    expect(isolationDetail).toContain(
      namespaces ? "no network" : ROOT_USER ? "a uid of its own" : "the worker's own uid",
    );
    expect(isolationDetail).toContain(`SQLite ${version}, read-only, trusted_schema off`);
    expect(here.lines.filter((line) => line.startsWith("Sandbox")).length).toBe(namespaces ? 0 : 1);
    expect(await restore(bytes)).toMatchObject({ skipped: [], tools: { sqlite: version } });
    const restored = await sqliteEngine.fingerprint(access, fingerprint, here.work);
    expect(compareFingerprints(fingerprint, restored)).toMatchObject({ equal: true, byCount: false });
    const checks = await sqliteEngine.checkRestored(access, here.work);
    expect(checks.map((check) => check.state)).toEqual(["passed", "passed"]);
    expect(await findProcesses(`holdfast-${access.connection.sandbox}`)).not.toEqual([]);
    await Promise.all([stop(), stop()]);
    expect(await findProcesses(`holdfast-${access.connection.sandbox}`)).toEqual([]);
    await expect(sqliteEngine.checkRestored(access, here.work)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/is gone/),
    });
  });

  it("has no rights that it could lose, and limits", async () => {
    await start(options);
    const pid = await programIn(sandbox as Sandbox);
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    for (const kind of ["Eff", "Prm", "Inh"]) expect(status).toMatch(new RegExp(`^Cap${kind}:\t0+$`, "m"));
    if (ROOT_USER) expect(status).toMatch(/^Uid:\t[1-9]\d{4,}\t/m);
    const limits = await readFile(`/proc/${pid}/limits`, "utf8");
    const limited = ["Max address space", "Max file size", "Max core file size"];
    if (ROOT_USER || sandbox?.isolation === "namespaces") limited.push("Max processes");
    for (const name of limited) expect(limits).toMatch(new RegExp(`^${name}\\s+\\d+\\s`, "m"));
    const apart = sandbox?.isolation === "namespaces";
    expect(/^Seccomp:\t2$/m.test(status)).toBe(apart);
    for (const kind of ["net", "pid", "mnt", "ipc", "uts"]) {
      const own = (await readlink(`/proc/${pid}/ns/${kind}`)) !== (await readlink(`/proc/self/ns/${kind}`));
      expect(own).toBe(apart);
    }
  });

  it("is given up with the reason when it takes too long, also in the middle of SQLite's work", async () => {
    const bytes = await bomb();
    const { ended } = await start({ ...options, longestMs: 8_000 });
    await expect(restore(bytes)).rejects.toMatchObject({
      code: "unavailable",
      message: "The sandbox was ended: it ran for 8 seconds.",
    });
    expect(ended.aborted).toBe(true);
  });

  it("is given up when a restore is cancelled in the middle of SQLite's work", async () => {
    const bytes = await bomb();
    const cancel = new AbortController();
    await start(options);
    const restoring = restore(bytes, { ...here.work, signal: cancel.signal });
    const pid = await programIn(sandbox as Sandbox);
    cancel.abort(new Error("cancelled by the user"));
    await expect(restoring).rejects.toThrow("cancelled by the user");
    await sandbox?.stop();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it("that is killed fails what it was asked, and does not fail the backup", async () => {
    const { ended } = await start(options);
    const never = new Readable({ read: () => undefined });
    const restoring = restore(never);
    process.kill(await programIn(sandbox as Sandbox), "SIGKILL");
    await expect(restoring).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("The sandbox ended by itself (SIGKILL)"),
      remedy: expect.stringContaining("memory"),
    });
    expect(ended.reason).toMatchObject({ code: "unavailable" });
    expect(never.destroyed).toBe(true);
    await expect(sqliteEngine.checkRestored((sandbox as Sandbox).access, here.work)).rejects.toThrow(
      "SIGKILL",
    );
  });

  it("without room for the file says so, and that is no fault of the dump", async () => {
    here.write("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(3000000))");
    const { bytes } = await here.dump();
    await start(options, 1e6);
    await expect(restore(bytes)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("what is sent into a sandbox", () => {
  it("is the dump's own error where the dump breaks off", async () => {
    await start();
    const broken = Readable.from(
      (function* () {
        yield Buffer.from("SQLite format 3\0");
        throw new Error("the copy was altered");
      })(),
    );
    await expect(restore(broken)).rejects.toThrow("the copy was altered");
  });

  it("is refused when it is no whole database", async () => {
    here.write("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(60000))");
    const { bytes } = await here.dump();
    await start();
    await expect(restore(bytes.subarray(0, -4096))).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/damaged/),
    });
  });

  it("is one thing at a time", async () => {
    await start();
    const access = (sandbox as Sandbox).access;
    const reading = new AbortController();
    const restoring = restore(new Readable({ read: () => reading.abort() }));
    restoring.catch(() => undefined);
    await vi.waitFor(() => expect(reading.signal.aborted).toBe(true), PATIENT);
    await expect(sqliteEngine.checkRestored(access, here.work)).rejects.toThrow(/still busy/);
    await sandbox?.stop();
    await expect(restoring).rejects.toThrow(/was stopped/);
  });
});

describe("a program that is no longer itself", () => {
  it("is not believed", async () => {
    const program = "lib/engines/sqlite/testing/odd-child.ts";
    const odd = { code: "unavailable", message: expect.stringContaining("no longer itself") };
    const { access } = await start({ program });
    await expect(sqliteEngine.fingerprint(access, noTables(), here.work)).rejects.toMatchObject(odd);
    await expect(sqliteEngine.checkRestored(access, here.work)).rejects.toMatchObject(odd);
    await sandbox?.stop();
    await start({ program });
    await expect(restore(Buffer.alloc(10))).rejects.toMatchObject(odd);
  });

  it("that does not start is replaced by a weaker way, and the proof says why", async () => {
    const tools = {
      bwrap: "/bin/false",
      setpriv: "/usr/bin/setpriv",
      prlimit: "/usr/bin/prlimit",
      choom: null,
    };
    const isolation = {
      method: { mode: "namespaces" as const, tools },
      detail: "",
      because: null,
      remedy: null,
    };
    const { isolationDetail } = await start({ isolation });
    expect(sandbox?.isolation).toBe(ROOT_USER ? "role" : "none");
    expect(isolationDetail).toContain("no namespaces (The sandbox ended by itself (exit code 1)");
    expect(here.lines).toEqual([expect.stringContaining("no namespaces")]);
  });

  it("runs with the worker's own uid where its folder is out of reach for any other, and the proof says so", async () => {
    await chmod(here.tempRoot, 0o700);
    const { isolation, isolationDetail } = await start(PLAIN);
    expect(isolation).toBe("none");
    expect(isolationDetail).toContain("no namespaces (the test asks for it)");
    expect(isolationDetail).toContain("a process with the worker's own uid");
    if (ROOT_USER) expect(isolationDetail).toContain("no uid of its own (The sandbox's user cannot reach");
  });

  it("that starts in no way at all is no verdict on the dump", async () => {
    const started = start({ program: "lib/engines/sqlite/testing/none.ts" });
    await expect(started).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/Cannot find module/),
    });
  });
});
