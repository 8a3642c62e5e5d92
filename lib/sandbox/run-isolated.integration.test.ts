import { chown, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { probeIsolation } from "./isolation.ts";
import { defaultLimits } from "./limits.ts";
import type { IsolatedRun } from "./run-isolated.ts";
import { runIsolated } from "./run-isolated.ts";
import { writeAccounts } from "./sandbox-folder.ts";
import { newSandboxUser } from "./sandbox-user.ts";
import { findProcesses } from "./testing/find-processes.ts";

const PATIENT = { timeout: 30_000, interval: 20 };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "hf-isolated-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Runs a shell script in a sandbox; null where this host allows no namespaces. */
async function script(
  text: string,
  lines: string[] = [],
  hidden: string[] = [],
): Promise<IsolatedRun | null> {
  const { method } = await probeIsolation();
  if (method.mode !== "namespaces") return null;
  const user = await newSandboxUser();
  const folder = path.join(root, "box");
  await mkdir(folder, { mode: 0o700 });
  if (user) await chown(folder, user.uid, user.gid);
  return runIsolated({
    method,
    user,
    folder,
    socketDir: null,
    etc: await writeAccounts(root, user),
    programs: [],
    hidden,
    limits: { ...defaultLimits(), processes: 20, fileBytes: 1_000_000 },
    shell: true,
    env: { GIVEN: "yes" },
    command: ["/bin/sh", "-c", text],
    onLine: (line) => lines.push(line),
  });
}

describe("an isolated program", () => {
  it("gets the environment it was given and none of ours, and sees its own folder", async () => {
    const lines: string[] = [];
    process.env.HOLDFAST_TEST_SECRET = "not to be seen";
    const run = await script("echo $GIVEN-$HOLDFAST_TEST_SECRET-$PWD; echo x > made; exit 3", lines);
    delete process.env.HOLDFAST_TEST_SECRET;
    if (!run) return;
    expect(await run.exited).toEqual({ code: 3, signal: null });
    await vi.waitFor(() => expect(lines).toEqual(["yes--/sandbox"]), PATIENT);
    expect(await readdir(path.join(root, "box"))).toEqual(["made"]);
  });

  it("takes everything that it started with it, whatever that ignores", async () => {
    const mark = path.basename(root);
    const run = await script(`(trap "" TERM HUP INT QUIT; while :; do : ${mark}; done) & echo started; wait`);
    if (!run) return;
    await vi.waitFor(() => expect(run.tail()).toContain("started"), PATIENT);
    expect(await findProcesses(mark)).not.toEqual([]);
    await Promise.all([run.end(), run.end()]);
    expect(await findProcesses(mark)).toEqual([]);
  });

  it("can't fork without end nor write a file without end", async () => {
    const run = await script(
      "i=0; while [ $i -lt 100 ]; do (read x </dev/zero) & i=$((i+1)); done; echo forked all",
    );
    if (!run) return;
    await run.exited;
    expect(run.tail()).toMatch(/[Cc]annot fork/);
    expect(run.tail()).not.toContain("forked all");
    await rm(path.join(root, "box"), { recursive: true });
    await rm(path.join(root, "etc"), { recursive: true });
    const writer = await script(
      'x=xxxxxxxxxxxxxxxx; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do x="$x$x"; done; echo "$x" > big',
    );
    expect((await writer?.exited)?.code).not.toBe(0);
  });

  it("does not see a hidden folder, even below one that is visible", async () => {
    const run = await script(
      "echo /usr/lib/os-release* /usr/share/zoneinfo/Etc/*",
      [],
      ["/usr/share/zoneinfo/Etc"],
    );
    if (!run) return;
    await run.exited;
    await vi.waitFor(() => expect(run.tail()).toContain("/usr/share/zoneinfo/Etc/*"), PATIENT);
  });

  it("says so when there is nothing to run", async () => {
    const run = await script("exec /no/such/program");
    if (!run) return;
    expect((await run.exited).code).toBe(127);
    await run.end();
  });
});
