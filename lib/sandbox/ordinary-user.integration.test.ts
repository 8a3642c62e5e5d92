import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeTimeBomb } from "../engines/sqlite/testing/sqlite-files.ts";
import { resultAsUser, startAsUser } from "./testing/as-user.ts";
import { findProcesses } from "./testing/find-processes.ts";
import type { Apart, Told } from "./testing/prove-as-user.ts";

const PATIENT = { timeout: 30_000, interval: 50 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "hf-user-"));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const prove = (refuse: boolean) =>
  resultAsUser(folder, "lib/sandbox/testing/prove-as-user.ts", [folder], refuse) as Promise<Told>;

function expectNamespaces({ isolation, detail, status, done }: Apart, uid: number): void {
  expect(isolation).toBe("namespaces");
  expect(detail).toContain(uid === 0 ? "a uid of its own" : "a user namespace");
  expect(detail).toContain("no network");
  expect(status).toMatch(/^CapEff:\t0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Seccomp:\t2$/m);
  // Process 1 and its children have numbers of their own inside.
  expect(status).toMatch(/^NSpid:\t\d+\t\d+/m);
  for (const attack of [
    "read a secret",
    "run a program",
    "run a shell",
    "write where the worker may",
    "list processes",
  ]) {
    expect(done).not.toContain(attack);
  }
}

describe("as an ordinary user", () => {
  it("sandboxes have a user namespace where the host allows one, else the weaker isolation, and say which", async () => {
    const { uid, allowed, sqlite, postgres } = await prove(false);
    expect(sqlite.equal).toBe(true);
    expect(postgres.done).toContain("make a table");
    if (allowed) {
      expectNamespaces(sqlite, uid);
      expectNamespaces(postgres, uid);
    } else {
      expectHonest({ uid, sqlite, postgres });
    }
  });

  it("where the kernel refuses namespaces, the proof says that it had none, and why", async () => {
    const { uid, allowed, sqlite, postgres } = await prove(true);
    expect(allowed).toBe(false);
    expect(sqlite.equal).toBe(true);
    expectHonest({ uid, sqlite, postgres });
  });
});

/** What is weaker is said to be so, with the reason; and a dump's code in PostgreSQL is still no superuser. */
function expectHonest({ uid, sqlite, postgres }: Pick<Told, "uid" | "sqlite" | "postgres">): void {
  expect(postgres.isolation).toBe("role");
  expect(sqlite.isolation).toBe(uid === 0 ? "role" : "none");
  for (const { detail, status } of [sqlite, postgres]) {
    expect(detail).toMatch(/^no namespaces \(.+\)/);
    expect(detail).toContain(uid === 0 ? "a uid of its own" : "the worker's own uid");
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NSpid:\t\d+$/m);
  }
  expect(postgres.done).toEqual(["make a table"]);
}

describe.each([
  ["a user namespace", false],
  ["without namespaces", true],
])("an ordinary worker that is killed (%s)", (_how, refuse) => {
  it.each(["sqlite", "postgres"])("takes its sandbox with it: %s", async (engine) => {
    const bomb = path.join(folder, "bomb.sqlite");
    makeTimeBomb(bomb);
    await chmod(bomb, 0o644);
    const script =
      engine === "sqlite"
        ? "lib/engines/sqlite/testing/hold-sandbox.ts"
        : "lib/sandbox/testing/hold-sandbox.ts";
    const worker = await startAsUser(folder, script, [path.join(folder, "work"), "namespaces", bomb], refuse);
    const exited = once(worker, "exit");
    const heard = once(worker.stdout?.setEncoding("utf8") ?? worker, "data");
    const [line] = await Promise.race([heard, exited]);
    const { sandbox, host, pid } = JSON.parse(String(line)) as {
      sandbox?: string;
      host?: string;
      pid: number;
    };
    const id = sandbox ?? path.basename(path.dirname(String(host)));
    expect(await findProcesses(`holdfast-${id}`)).not.toEqual([]);
    process.kill(pid, "SIGKILL");
    await exited;
    await vi.waitFor(async () => expect(await findProcesses(`holdfast-${id}`)).toEqual([]), PATIENT);
    const boxes = (await readdir(folder)).filter((name) => name.startsWith("holdfast-boxes-"));
    expect(boxes).toHaveLength(1);
  });
});
