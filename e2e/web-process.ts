import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import path from "node:path";
import { expect, vi } from "vitest";
import { ensureBuilt } from "../lib/start/build.ts";

export interface WebProcess {
  url: string;
  child: ChildProcess;
  kill(): Promise<void>;
}

/**
 * The web process alone, built if need be, on a metadata database that is prepared. Waits until `route` (/api/livez, or /api/readyz
 * for one that needs a worker as well) is answered with 200.
 */
export async function startWeb(
  env: Record<string, string>,
  port: number,
  route: "/api/livez" | "/api/readyz",
): Promise<WebProcess> {
  await ensureBuilt();
  const child = fork(path.resolve(import.meta.dirname, "../bin/web.ts"), [], {
    env: { ...process.env, ...env, PORT: String(port), HOLDFAST_PREPARED: "1" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const url = `http://127.0.0.1:${port}`;
  const web: WebProcess = {
    url,
    child,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
  const up = vi.waitFor(
    async () => {
      const answer = await fetch(`${url}${route}`);
      expect(answer.status, await answer.text()).toBe(200);
    },
    { timeout: 60_000, interval: 50 },
  );
  await up.catch(async (error: unknown) => {
    await web.kill();
    throw error;
  });
  return web;
}
