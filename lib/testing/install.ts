import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, vi } from "vitest";
import type { Ctx } from "../context.ts";
import { asSystem, systemClock } from "../context.ts";
import type { Db } from "../db/client.ts";
import type { OperationState } from "../db/generated/client.ts";
import { ensureDefaults } from "../defaults.ts";
import { createLogger } from "../logger.ts";
import { getOperation } from "../operations/get-operation.ts";
import type { OperationDto } from "../operations/schema.ts";
import { createTestKeyring } from "../secrets/testing/keyring.ts";

/** Longest wait for what has to happen after a fault: within it, the state says what happened. */
export const WITHIN = { timeout: 60_000, interval: 50 };

/** An install without processes: verbs in the test itself, folders and keys of its own. */
export interface TestInstall {
  ctx: Ctx;
  /** Holds everything below but the keys. */
  root: string;
  /** Data folder; the destination `local` is its "backups". */
  data: string;
  temp: string;
  keys: string;
  /** What a worker or web process of this install is started with. */
  env: Record<string, string>;
  /** Waits until the operation is in one of these states. */
  until(operationId: string, ...states: OperationState[]): Promise<OperationDto>;
  remove(): Promise<void>;
}

/** Keys, folders and the defaults of a first start on a prepared metadata database, which stays the caller's. */
export async function createTestInstall(metadata: { db: Db; url: string }): Promise<TestInstall> {
  const { db, url } = metadata;
  const root = await mkdtemp(path.join(tmpdir(), "hf-install-"));
  // Sandboxes run as a user of their own, who has to get through.
  await chmod(root, 0o711);
  const [data, temp] = [path.join(root, "data"), path.join(root, "temp")];
  await mkdir(data, { mode: 0o700 });
  await mkdir(temp, { mode: 0o711 });
  const { keyring, remove } = await createTestKeyring(db);
  const keys = keyring.folder;
  const env = { HOLDFAST_DATA: data, HOLDFAST_TEMP: temp, HOLDFAST_KEYS: keys, DATABASE_URL: url };
  Object.assign(process.env, env);
  const ctx = asSystem({ db, clock: systemClock, log: createLogger("test", "silent") }, "test");
  await ensureDefaults(ctx, { dataFolder: data });
  return {
    ctx,
    root,
    data,
    temp,
    keys,
    env,
    until: (operationId, ...states) =>
      vi.waitFor(async () => {
        const row = await getOperation(ctx, operationId);
        expect(states, `${row.title} is ${row.state}: ${row.reason}`).toContain(row.state);
        return row;
      }, WITHIN),
    async remove() {
      await remove();
      await rm(root, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
