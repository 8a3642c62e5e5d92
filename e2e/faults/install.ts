import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, vi } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import type { Ctx } from "../../lib/context.ts";
import { asSystem, systemClock } from "../../lib/context.ts";
import { createDatabase } from "../../lib/databases/create-database.ts";
import type { Db } from "../../lib/db/client.ts";
import type { OperationState } from "../../lib/db/generated/client.ts";
import { ensureDefaults } from "../../lib/defaults.ts";
import { createLogger } from "../../lib/logger.ts";
import { getOperation } from "../../lib/operations/get-operation.ts";
import type { OperationDto } from "../../lib/operations/schema.ts";
import { createTestKeyring } from "../../lib/secrets/testing/keyring.ts";
import type { WorkerProcess } from "./worker-process.ts";
import { spawnWorker, untilUp } from "./worker-process.ts";

/** Longest wait for what has to happen after a fault: within it, the state says what happened. */
export const WITHIN = { timeout: 60_000, interval: 50 };

export interface Metadata {
  db: Db;
  url: string;
}

export interface WorkerOptions {
  pool?: string;
  env?: Record<string, string>;
  /** Program and arguments that the worker runs under. */
  wrapper?: string[];
}

export interface Install {
  ctx: Ctx;
  /** Holds everything below; its name is in the environment of every process of the install. */
  root: string;
  data: string;
  temp: string;
  keys: string;
  workers: WorkerProcess[];
  /** What a worker or web process of this install is started with. */
  env: Record<string, string>;
  worker(name: string, options?: WorkerOptions): Promise<WorkerProcess>;
  register(name: string, url: string, pool?: string): Promise<void>;
  /** Waits until the operation is in one of these states. */
  until(operationId: string, ...states: OperationState[]): Promise<OperationDto>;
  /** Waits until a step of the newest attempt runs. */
  untilStep(operationId: string, name: string): Promise<void>;
  /** A backup that was made and proven. */
  proven(database: string): Promise<BackupDto>;
  cleanUp(): Promise<void>;
}

/** An install of the real parts: verbs here, workers of this version in processes of their own. */
export async function createInstall(metadata: Metadata): Promise<Install> {
  const { db, url } = metadata;
  const root = await mkdtemp(path.join(tmpdir(), "hf-faults-"));
  // Sandboxes run as a user of their own, who has to get through.
  await chmod(root, 0o711);
  const [data, temp] = [path.join(root, "data"), path.join(root, "temp")];
  await mkdir(data, { mode: 0o700 });
  await mkdir(temp, { mode: 0o711 });
  const keys = await createTestKeyring(db);
  const env = {
    HOLDFAST_DATA: data,
    HOLDFAST_TEMP: temp,
    HOLDFAST_KEYS: keys.keyring.folder,
    DATABASE_URL: url,
    HOLDFAST_CONCURRENCY: "8",
    HOLDFAST_SERVER_CONCURRENCY: "8",
    HOLDFAST_LOG_LEVEL: "info",
  };
  Object.assign(process.env, env);
  const ctx = asSystem({ db, clock: systemClock, log: createLogger("test", "silent") }, "test");
  await ensureDefaults(ctx, { dataFolder: data });
  const workers: WorkerProcess[] = [];

  const until = async (operationId: string, ...states: OperationState[]) =>
    await vi.waitFor(async () => {
      const row = await getOperation(ctx, operationId);
      expect(states, `${row.title} is ${row.state}: ${row.reason}`).toContain(row.state);
      return row;
    }, WITHIN);

  return {
    ctx,
    root,
    data,
    temp,
    keys: keys.keyring.folder,
    workers,
    env,
    async worker(name, { pool = "default", env: more = {}, wrapper = [] } = {}) {
      const settings = { ...env, HOLDFAST_WORKER_NAME: name, HOLDFAST_POOL: pool, ...more };
      const worker = spawnWorker(settings, wrapper);
      workers.push(worker);
      await untilUp(db, name, worker);
      return worker;
    },
    async register(name, databaseUrl, pool = "default") {
      await createDatabase(ctx, { name, engine: "postgres", environment: "staging", url: databaseUrl, pool });
    },
    until,
    async untilStep(operationId, name) {
      await vi.waitFor(async () => {
        const { steps, state, reason } = await getOperation(ctx, operationId);
        const last = steps.at(-1);
        expect(last, `${state}: ${reason}`).toMatchObject({ name, state: "running" });
      }, WITHIN);
    },
    async proven(database) {
      const { id, operationId } = await runBackup(ctx, { database });
      await until(operationId, "succeeded");
      const { verification } = await getBackup(ctx, id);
      if (verification) await until(verification.operationId, "succeeded");
      const backup = await getBackup(ctx, id);
      expect(backup).toMatchObject({ state: "complete", proof: { verdict: "proven", level: "restored" } });
      return backup;
    },
    async cleanUp() {
      for (const worker of workers) await worker.kill();
      await keys.remove();
      await rm(root, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
