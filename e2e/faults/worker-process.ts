import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import path from "node:path";
import { expect, vi } from "vitest";
import type { Db } from "../../lib/db/client.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

export interface WorkerProcess {
  pid: number;
  child: ChildProcess;
  /** All that it has logged. */
  said(): string;
  exited: Promise<number | null>;
  /** As a machine that runs out of memory does. */
  kill(): Promise<void>;
}

/** `npm run worker` without npm: the real program, ending with this process. Does not wait. */
export function spawnWorker(env: Record<string, string>, wrapper: string[] = []): WorkerProcess {
  const command = [...wrapper, process.execPath, path.join(ROOT, "worker/index.ts")];
  const child = spawn(command[0] ?? "", command.slice(1), {
    cwd: ROOT,
    env: { ...process.env, ...env, HOLDFAST_SUPERVISED: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", resolve);
  });
  return {
    pid: child.pid ?? 0,
    child,
    said: () => text,
    exited,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Resolves when the ledger knows the worker; throws with what it said when it ended instead. */
export async function untilUp(db: Db, name: string, worker: WorkerProcess): Promise<void> {
  let over = false;
  void worker.exited.then(() => {
    over = true;
  });
  await vi.waitFor(
    async () => {
      const row = over ? null : await db.worker.findFirst({ where: { name, stoppedAt: null } });
      if (!over) expect(row).not.toBeNull();
    },
    { timeout: 60_000, interval: 50 },
  );
  if (over) throw new Error(`the worker ${name} ended before it was up:\n${worker.said()}`);
}
