import { expect, vi } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import { createDatabase } from "../../lib/databases/create-database.ts";
import type { Db } from "../../lib/db/client.ts";
import { getOperation } from "../../lib/operations/get-operation.ts";
import type { TestInstall } from "../../lib/testing/install.ts";
import { createTestInstall, WITHIN } from "../../lib/testing/install.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { startTestPostgres } from "../../lib/testing/postgres.ts";
import { makeShop } from "./gates.ts";
import type { WorkerProcess } from "./worker-process.ts";
import { spawnWorker, untilUp } from "./worker-process.ts";

export { WITHIN };

export interface WorkerOptions {
  pool?: string;
  env?: Record<string, string>;
  /** Program and arguments that the worker runs under. */
  wrapper?: string[];
}

export interface Install extends TestInstall {
  workers: WorkerProcess[];
  worker(name: string, options?: WorkerOptions): Promise<WorkerProcess>;
  register(name: string, url: string, pool?: string): Promise<void>;
  /** Waits until a step of the newest attempt runs. */
  untilStep(operationId: string, name: string): Promise<void>;
  /** A backup that was made and proven. */
  proven(database: string): Promise<BackupDto>;
  cleanUp(): Promise<void>;
}

/** An install of the real parts: verbs here, workers of this version in processes of their own. */
export async function createInstall(metadata: { db: Db; url: string }): Promise<Install> {
  const { db } = metadata;
  const install = await createTestInstall(metadata);
  const { ctx, until } = install;
  const env = {
    ...install.env,
    HOLDFAST_CONCURRENCY: "8",
    HOLDFAST_SERVER_CONCURRENCY: "8",
    HOLDFAST_LOG_LEVEL: "info",
  };
  const workers: WorkerProcess[] = [];

  return {
    ...install,
    env,
    workers,
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
      await install.remove();
    },
  };
}

/** An install and a server with these shops, each registered under its name in its pool. */
export async function installWithShops(
  pools: Record<string, string>,
): Promise<{ install: Install; server: TestPostgres; cleanUp: () => Promise<void> }> {
  const [meta, server] = await Promise.all([createTestDb(), startTestPostgres()]);
  const install = await createInstall(meta);
  const add = async ([name, pool]: [string, string]) => {
    await makeShop(server, name);
    await install.register(name, server.url(name), pool);
  };
  await Promise.all(Object.entries(pools).map(add));
  const cleanUp = async () => {
    await install.cleanUp();
    await Promise.all([server.stop(), meta.drop()]);
  };
  return { install, server, cleanUp };
}
