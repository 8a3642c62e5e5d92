import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { TestInstall } from "../../testing/install.ts";
import { createTestInstall } from "../../testing/install.ts";
import { createTestDb } from "../../testing/metadata.ts";
import { getBackup } from "../get-backup.ts";
import { runBackup } from "../run-backup.ts";
import type { BackupDto } from "../schema.ts";

export interface BackupInstall extends TestInstall {
  /** Starts a worker in a process of its own, whose claims hold that long. */
  startWorker(name: string, leaseMs?: number): Promise<ChildProcess>;
  /** A backup that was made, and verified to its end. */
  backUp(database: string): Promise<BackupDto>;
  cleanUp(): Promise<void>;
}

/** A whole install for tests of backups, on a metadata database of its own; its workers have short times. */
export async function createBackupInstall(): Promise<BackupInstall> {
  const metadata = await createTestDb();
  const install = await createTestInstall(metadata);
  const { ctx, until } = install;
  const workers: ChildProcess[] = [];
  return {
    ...install,
    async startWorker(name, leaseMs = 6_000) {
      const worker = fork(
        path.join(import.meta.dirname, "backup-worker.ts"),
        [metadata.url, name, String(leaseMs)],
        {
          stdio: ["ignore", "inherit", "inherit", "ipc"],
        },
      );
      workers.push(worker);
      await once(worker, "message");
      return worker;
    },
    async backUp(database) {
      const { id, operationId } = await runBackup(ctx, { database });
      await until(operationId, "succeeded");
      const { verification } = await getBackup(ctx, id);
      if (verification) await until(verification.operationId, "succeeded");
      return await getBackup(ctx, id);
    },
    async cleanUp() {
      for (const worker of workers) await kill(worker);
      await install.remove();
      await metadata.drop();
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
