import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test, vi } from "vitest";
import { identify, isRunning } from "../sandbox/process-identity.ts";

const WAIT = { timeout: 30_000, interval: 20 };

test("a server ends with the process that started it, killed with its whole group, and its folder with it", async () => {
  const holder = fork(path.join(import.meta.dirname, "testing/hold-server.ts"), [], { detached: true });
  const [{ pid, dataDir }] = (await once(holder, "message")) as [{ pid: number; dataDir: string }];
  const server = await identify(pid);
  if (!server) throw new Error("the server does not run");
  if (holder.pid === undefined) throw new Error("the holder does not run");
  process.kill(-holder.pid, "SIGKILL");
  await vi.waitFor(async () => expect(await isRunning(server)).toBe(false), WAIT);
  await vi.waitFor(() => expect(existsSync(path.dirname(dataDir))).toBe(false), WAIT);
});

test("another process that has got the number is left alone", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "hf-watch-"));
  const other = spawn("sleep", ["300"], { stdio: "ignore" });
  try {
    const [script, dataDir, remove] = ["end-with-parent.ts", "data", "over"].map((name, index) =>
      JSON.stringify(path.join(index === 0 ? import.meta.dirname : folder, name)),
    );
    mkdirSync(path.join(folder, "over"));
    const code = `(await import(${script})).endWithParent({ pid: ${other.pid}, dataDir: ${dataDir}, graceSeconds: 9, remove: ${remove} })`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "inherit" });
    expect((await once(parent, "exit"))[0]).toBe(0);
    // The last thing that the watch does.
    await vi.waitFor(() => expect(existsSync(path.join(folder, "over"))).toBe(false), WAIT);
    expect(other.exitCode ?? other.signalCode).toBeNull();
  } finally {
    other.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
