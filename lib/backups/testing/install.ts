import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, vi } from "vitest";
import { asSystem, type Ctx, systemClock } from "../../context.ts";
import type { OperationState } from "../../db/generated/client.ts";
import { ensureDefaults } from "../../defaults.ts";
import { createLogger } from "../../logger.ts";
import { createTestKeyring } from "../../secrets/testing/keyring.ts";
import { createTestDb } from "../../testing/metadata.ts";

export interface TestInstall {
  ctx: Ctx;
  /** Data folder; the destination `local` is its "backups". */
  data: string;
  temp: string;
  /** Starts a worker in a process of its own. */
  startWorker(name: string): Promise<ChildProcess>;
  until(
    operationId: string,
    ...states: OperationState[]
  ): Promise<{ reason: string | null; result: unknown }>;
  cleanUp(): Promise<void>;
}

/** A whole install for tests: metadata database, keys, defaults, real workers; folders of its own. */
export async function createTestInstall(): Promise<TestInstall> {
  const metadata = await createTestDb();
  const keys = await createTestKeyring(metadata.db);
  const root = await mkdtemp(path.join(tmpdir(), "holdfast-install-"));
  const data = path.join(root, "data");
  const temp = path.join(root, "temp");
  await mkdir(data, { mode: 0o700 });
  await mkdir(temp);
  Object.assign(process.env, { HOLDFAST_DATA: data, HOLDFAST_TEMP: temp, DATABASE_URL: metadata.url });
  const ctx = asSystem({ db: metadata.db, clock: systemClock, log: createLogger("test", "silent") }, "test");
  await ensureDefaults(ctx, { dataFolder: data });
  const workers: ChildProcess[] = [];
  return {
    ctx,
    data,
    temp,
    async startWorker(name) {
      const worker = fork(path.join(import.meta.dirname, "backup-worker.ts"), [metadata.url, name], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      workers.push(worker);
      await once(worker, "message");
      return worker;
    },
    until: (operationId, ...states) =>
      vi.waitFor(
        async () => {
          const row = await metadata.db.operation.findUniqueOrThrow({ where: { id: operationId } });
          expect(states, `${row.state}: ${row.reason}`).toContain(row.state);
          return { reason: row.reason, result: row.result };
        },
        { timeout: 60_000, interval: 50 },
      ),
    async cleanUp() {
      for (const worker of workers) await kill(worker);
      await metadata.drop();
      await keys.remove();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Ends a worker at once, as a machine that goes down does. */
export async function kill(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const gone = once(worker, "exit");
  worker.kill("SIGKILL");
  await gone;
}
