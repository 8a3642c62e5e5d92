import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupInstall } from "../../lib/backups/testing/install.ts";
import { createBackupInstall, kill } from "../../lib/backups/testing/install.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import { createDatabase } from "../../lib/databases/create-database.ts";
import { createDestination } from "../../lib/destinations/create-destination.ts";
import type { ProcessIdentity } from "../../lib/sandbox/process-identity.ts";
import { isRunning } from "../../lib/sandbox/process-identity.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { startTestPostgres } from "../../lib/testing/postgres.ts";
import { descendantsOf } from "../../lib/transfer/process-tree.ts";
import type { Disk } from "./disk.ts";
import { makeDisk, mayMount } from "./disk.ts";
import { DUMPING, FINGERPRINT, holdDump, holdFingerprint, makeShop, releaseAll } from "./gates.ts";
import { WITHIN } from "./install.ts";

const mountable = await mayMount();

let server: TestPostgres;
let install: BackupInstall;
let names = 0;

beforeAll(async () => {
  server = await startTestPostgres();
  await makeShop(server, "shop");
  install = await createBackupInstall();
  await createDatabase(install.ctx, {
    name: "shop",
    engine: "postgres",
    environment: "staging",
    url: server.url("shop"),
  });
});
afterEach(releaseAll);
afterAll(async () => {
  await releaseAll();
  await install.cleanUp();
  await server.stop();
});

/** A worker that can be frozen with all that it has started, as a machine under a hypervisor is. */
async function freezable() {
  names += 1;
  const worker = await install.startWorker(`worker-${names}`);
  const pid = worker.pid ?? 0;
  let below: ProcessIdentity[] = [];
  const signal = (name: NodeJS.Signals) => {
    for (const one of [{ pid }, ...below]) process.kill(one.pid, name);
  };
  return {
    process: worker,
    async freeze() {
      below = await descendantsOf(pid);
      expect(below).not.toEqual([]);
      signal("SIGSTOP");
    },
    async wake() {
      signal("SIGCONT");
      await gone(below);
      // It goes on as a worker, with other work.
      expect(worker).toMatchObject({ exitCode: null, signalCode: null });
    },
  };
}

/** Every file at a destination, with its sha256. */
async function filesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: Record<string, string> = {};
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isFile() || entry.name === ".holdfast-destination.json") continue;
    const bytes = await readFile(file).catch(() => null);
    if (bytes) found[path.relative(folder, file)] = createHash("sha256").update(bytes).digest("hex");
  }
  return found;
}

const local = () => path.join(install.data, "backups");
const partsOf = async (folder: string) =>
  Object.keys(await filesIn(local())).filter((file) => file.startsWith(folder) && file.endsWith(".part"));

/** Waits until an attempt writes, and returns its folder; the one before it had another. */
async function attemptOf(backupId: string, attempt: number, before?: string): Promise<string> {
  return await vi.waitFor(async () => {
    const { path: folder, operationId } = await install.ctx.db.backup.findUniqueOrThrow({
      where: { id: backupId },
    });
    const operation = await install.ctx.db.operation.findUniqueOrThrow({ where: { id: operationId } });
    expect(operation).toMatchObject({ attempt, state: "running" });
    expect(folder).not.toBe(before);
    expect(await partsOf(folder)).not.toEqual([]);
    return folder;
  }, WITHIN);
}

async function gone(processes: ProcessIdentity[]): Promise<void> {
  await vi.waitFor(async () => {
    for (const one of processes) expect(await isRunning(one)).toBe(false);
  }, WITHIN);
}

async function expectWhole(backupId: string, folder: string): Promise<void> {
  const backup = await getBackup(install.ctx, backupId);
  expect(backup.state).toBe("complete");
  for (const copy of backup.copies) expect(copy).toMatchObject({ state: "stored", path: folder });
  const { id } = await verifyBackup(install.ctx, backupId);
  await install.until(id, "succeeded");
  expect(await getBackup(install.ctx, backupId)).toMatchObject({ proof: { verdict: "proven" } });
}

/** Nothing of a given-up attempt stays, even if it woke up after it was tidied up. */
async function onlyWhole(): Promise<void> {
  const { db } = install.ctx;
  await db.storageCleanUp.updateMany({ data: { nextAt: new Date() } });
  const good = (await db.copy.findMany({ where: { state: "stored" } })).map((copy) => copy.path);
  await vi.waitFor(async () => {
    const strange = Object.keys(await filesIn(local())).filter(
      (file) => !good.some((folder) => file.startsWith(`${folder}/`)),
    );
    expect(strange).toEqual([]);
  }, WITHIN);
}

describe("a worker that is frozen loses its operation; when it wakes up, it harms nothing of the next attempt", {
  timeout: 240_000,
}, () => {
  it("while both are in the middle of their dumps", async () => {
    const frozen = await freezable();
    const gate = await holdDump(server, "shop");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop", verify: false });
    await gate.reached(DUMPING);
    const first = await attemptOf(id, 1);
    await frozen.freeze();
    const heir = await freezable();
    const second = await attemptOf(id, 2, first);
    await gate.reached(DUMPING);
    const before = await partsOf(second);

    await frozen.wake();
    expect(await partsOf(second)).toEqual(before);
    await gate.release();
    await install.until(operationId, "succeeded");
    await expectWhole(id, second);
    await onlyWhole();
    await kill(frozen.process);
    await kill(heir.process);
  });

  describe.runIf(mountable)("with a second destination", () => {
    let disk: Disk;
    beforeAll(async () => {
      disk = await makeDisk(install.temp, 48);
      await createDestination(install.ctx, { name: "slow", kind: "local", config: { folder: disk.folder } });
    });
    afterAll(async () => {
      await disk.thaw();
      await disk.remove();
    });

    it("after it has published some of its files, and the next attempt all of them", async () => {
      const frozen = await freezable();
      const dump = await holdDump(server, "shop");
      const { id, operationId } = await runBackup(install.ctx, { database: "shop", verify: false });
      await dump.reached(DUMPING);
      const first = await attemptOf(id, 1);
      const gate = await holdFingerprint(server, "shop", dump);
      await gate.reached(FINGERPRINT);
      await disk.freeze();
      await gate.release();
      await vi.waitFor(async () => {
        const files = Object.keys(await filesIn(local()));
        expect(files).toContain(path.join(first, "dump.pgdump.zst.age"));
      }, WITHIN);
      await frozen.freeze();
      await disk.thaw();

      const heir = await freezable();
      await install.until(operationId, "succeeded");
      const { path: second } = await install.ctx.db.backup.findUniqueOrThrow({ where: { id } });
      expect(second).not.toBe(first);
      const places = [local(), disk.folder].map((root) => path.join(root, second));
      const before = await Promise.all(places.map(filesIn));
      expect(Object.keys(before[0] ?? {})).toContain("manifest.json");

      await frozen.wake();
      expect(await Promise.all(places.map(filesIn))).toEqual(before);
      await expectWhole(id, second);
      await onlyWhole();
      await kill(frozen.process);
      await kill(heir.process);
    });
  });
});
