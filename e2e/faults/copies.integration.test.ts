import { mkdir, open, readdir, rename, stat } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { copyBackup } from "../../lib/backups/copy-backup.ts";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import type { Db } from "../../lib/db/client.ts";
import type { Operation } from "../../lib/db/generated/client.ts";
import { createDestination } from "../../lib/destinations/create-destination.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { descendantsOf, killAll } from "../../lib/transfer/process-tree.ts";
import type { Disk } from "./disk.ts";
import { makeDisk, mayMount } from "./disk.ts";
import { attentionFor } from "./expectations.ts";
import type { Install } from "./install.ts";
import { installWithShops, WITHIN } from "./install.ts";
import { nothingLeft } from "./leftovers.ts";
import type { WorkerProcess } from "./worker-process.ts";

const KNOWN = ["shop"];
const FULL = process.env.HOLDFAST_TEST_FULL === "1";
const mountable = await mayMount();

let db: Db;
let server: TestPostgres;
let install: Install;
let worker: WorkerProcess;
let offsite: string;
let cleanUp: () => Promise<void>;

beforeAll(async () => {
  ({ install, server, cleanUp } = await installWithShops({ shop: "default" }));
  ({ db } = install.ctx);
  offsite = path.join(install.root, "offsite");
  await mkdir(offsite);
  await createDestination(install.ctx, { name: "offsite", kind: "local", config: { folder: offsite } });
  worker = await install.worker("one", { env: { HOLDFAST_DETACH_SECONDS: "2" } });
});
afterAll(() => cleanUp());
beforeEach(async () => await writeTo("local", "offsite"));
afterEach(async () => await nothingLeft(install, server, KNOWN));

/** Only these destinations are written to. */
async function writeTo(...names: string[]): Promise<void> {
  const { destination } = db;
  await destination.updateMany({ where: { name: { in: names } }, data: { archivedAt: null } });
  await destination.updateMany({ where: { name: { notIn: names } }, data: { archivedAt: new Date() } });
}

async function backUp(): Promise<BackupDto> {
  const { id, operationId } = await runBackup(install.ctx, { database: "shop", verify: false });
  await install.until(operationId, "succeeded");
  return await getBackup(install.ctx, id);
}

/** A backup whose copy at offsite could not be made, because it was away; it still is. */
async function partial(): Promise<BackupDto> {
  await rename(offsite, `${offsite}-away`);
  const backup = await backUp();
  expect(backup).toMatchObject({ state: "partial", reason: expect.stringContaining("offsite") });
  return backup;
}

const comesBack = () => rename(`${offsite}-away`, offsite);

function copyAt(backup: BackupDto, destination: string) {
  const found = backup.copies.find((copy) => copy.destination === destination);
  if (!found) throw new Error(`no copy at ${destination}`);
  return found;
}

function folderOf(backup: BackupDto, destination: string): string {
  const root = destination === "offsite" ? offsite : path.join(install.data, "backups");
  return path.join(root, copyAt(backup, destination).path);
}

async function flip(backup: BackupDto, destination: string): Promise<void> {
  const file = path.join(folderOf(backup, destination), "dump.pgdump.zst.age");
  const handle = await open(file, "r+");
  const at = Math.floor((await stat(file)).size / 2);
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await handle.close();
}

async function expectProven(backup: BackupDto, destination: string): Promise<void> {
  const { id } = await verifyBackup(install.ctx, backup.id, { destination });
  const { result } = await install.until(id, "succeeded");
  expect(result).toMatchObject({ verdict: "proven", level: "restored", copies: [{ destination }] });
}

async function copiesOf(backupId: string): Promise<Operation[]> {
  return await db.operation.findMany({
    where: { backupId, kind: "backup.copy" },
    orderBy: { createdAt: "asc" },
  });
}

/** As if the time of the next try had come. */
async function makeDue(backupId: string): Promise<void> {
  await db.copy.updateMany({
    where: { backupId, retryAt: { not: null } },
    data: { retryAt: new Date() },
  });
}

describe("a destination that is away during a backup", () => {
  it("gets its copy by itself once it is back; until then tries are few, and say why", async () => {
    const backup = await partial();
    const planned = copyAt(backup, "offsite");
    expect(planned).toMatchObject({ state: "failed", reason: expect.stringContaining("is not there") });
    expect(planned.retryAt).not.toBeNull();

    await makeDue(backup.id);
    const first = await vi.waitFor(async () => {
      const [found] = await copiesOf(backup.id);
      if (!found) throw new Error("no try yet");
      return found;
    }, WITHIN);
    expect(first).toMatchObject({ trigger: "retry", actorName: "Holdfast" });
    expect((await install.until(first.id, "failed")).reason).toContain("offsite: ");
    const still = await getBackup(install.ctx, backup.id);
    expect(still).toMatchObject({ state: "partial", copying: null });
    const { retryAt } = copyAt(still, "offsite");
    expect(new Date(retryAt ?? 0).getTime()).toBeGreaterThan(new Date(planned.retryAt ?? 0).getTime());

    await comesBack();
    expect(await copiesOf(backup.id)).toHaveLength(1);
    await makeDue(backup.id);
    await vi.waitFor(async () => expect(await copiesOf(backup.id)).toHaveLength(2), WITHIN);
    const [, second] = await copiesOf(backup.id);
    await install.until(second?.id ?? "", "succeeded");
    const whole = await getBackup(install.ctx, backup.id);
    expect(whole).toMatchObject({ state: "complete", reason: null });
    expect(copyAt(whole, "offsite")).toMatchObject({ state: "stored", reason: null, retryAt: null });
    await expectProven(whole, "offsite");
  });

  it("is tried a limited number of times, each later than the one before", async () => {
    const backup = await partial();
    const waits: number[] = [];
    for (let tries = 1; ; tries += 1) {
      const copy = copyAt(await getBackup(install.ctx, backup.id), "offsite");
      if (copy.retryAt === null) break;
      waits.push(new Date(copy.retryAt).getTime() - new Date(copy.checkedAt ?? 0).getTime());
      await makeDue(backup.id);
      await vi.waitFor(async () => expect(await copiesOf(backup.id)).toHaveLength(tries), WITHIN);
      const last = (await copiesOf(backup.id)).at(-1);
      await install.until(last?.id ?? "", "failed");
    }
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(new Set(waits).size).toBe(waits.length);
    expect(waits.length).toBeGreaterThan(2);
    const operations = await copiesOf(backup.id);
    expect(operations).toHaveLength(waits.length);
    await comesBack();
    const { id } = await copyBackup(install.ctx, backup.id, { destination: "offsite" });
    await install.until(id, "succeeded");
    expect((await getBackup(install.ctx, backup.id)).state).toBe("complete");
  });
});

describe("by hand", () => {
  it("a copy that was altered is made again from the good one, and proven; the altered bytes go", async () => {
    const backup = await backUp();
    await flip(backup, "offsite");
    const { id: proof } = await verifyBackup(install.ctx, backup.id);
    await install.until(proof, "failed");
    const damaged = await getBackup(install.ctx, backup.id);
    expect(copyAt(damaged, "offsite").state).toBe("altered");
    expect(await attentionFor(install, "shop")).toContainEqual(
      expect.objectContaining({ title: expect.stringContaining("altered") }),
    );

    const { id } = await copyBackup(install.ctx, backup.id);
    await expect(copyBackup(install.ctx, backup.id)).rejects.toMatchObject({ code: "conflict" });
    const made = await install.until(id, "succeeded");
    expect(made.reason).toMatch(/ copied from local to offsite$/);
    const now = await getBackup(install.ctx, backup.id);
    expect(copyAt(now, "offsite")).toMatchObject({ state: "stored", reason: null });
    expect(copyAt(now, "offsite").path).not.toBe(copyAt(backup, "offsite").path);
    await vi.waitFor(
      async () => expect(await readdir(folderOf(backup, "offsite")).catch(() => [])).toEqual([]),
      WITHIN,
    );
    // The proof that failed was about the old bytes: the new ones have one of their own.
    const again = await db.operation.findFirstOrThrow({
      where: { rootId: made.rootId, kind: "backup.verify" },
    });
    await install.until(again.id, "succeeded");
    expect(await attentionFor(install, "shop")).toEqual([]);
    const audited = await db.auditEvent.findMany({ where: { objectId: backup.id } });
    expect(audited.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["backup.copy", "backup.copied"]),
    );
  });

  it("a destination that has no copy yet gets one; one whose copy is stored is refused", async () => {
    await writeTo("local");
    const backup = await backUp();
    expect(backup.copies).toHaveLength(1);
    await writeTo("local", "offsite");
    await expect(copyBackup(install.ctx, backup.id)).rejects.toMatchObject({ code: "refused" });
    await expect(copyBackup(install.ctx, backup.id, { destination: "local" })).rejects.toMatchObject({
      code: "conflict",
    });
    const { id } = await copyBackup(install.ctx, backup.id, { destination: "offsite" });
    await install.until(id, "succeeded");
    const now = await getBackup(install.ctx, backup.id);
    expect(now.copies).toMatchObject([
      { destination: "local", state: "stored" },
      { destination: "offsite", state: "stored" },
    ]);
  });
});

it("a source that was altered meanwhile is not copied: it is found out, and nothing is made of it", async () => {
  const backup = await partial();
  await comesBack();
  await flip(backup, "local");
  const { id } = await copyBackup(install.ctx, backup.id);
  const ended = await install.until(id, "failed");
  expect(ended.reason).toMatch(/no good copy.* local: dump\.pgdump\.zst\.age was altered/);
  const now = await getBackup(install.ctx, backup.id);
  expect(copyAt(now, "local")).toMatchObject({ state: "altered" });
  expect(copyAt(now, "offsite")).toMatchObject({ state: "failed" });
  expect(now.proof).toMatchObject({ verdict: "failed", reason: expect.stringContaining("was altered") });
  expect((await attentionFor(install, "shop")).map(({ severity }) => severity)).toContain("problem");
  await expect(copyBackup(install.ctx, backup.id)).rejects.toMatchObject({ code: "refused" });
  await db.copy.updateMany({ where: { backupId: backup.id }, data: { retryAt: null } });
});

describe.runIf(mountable)("a disk that holds its calls", () => {
  let disk: Disk;
  beforeAll(async () => {
    disk = await makeDisk(install.root, 48);
    await createDestination(install.ctx, { name: "slow", kind: "local", config: { folder: disk.folder } });
  });
  beforeEach(async () => await writeTo("local", "slow"));
  afterEach(async () => await disk.thaw());
  afterAll(async () => {
    await disk.thaw();
    await disk.remove();
  });
  const partsOnDisk = async () =>
    (await readdir(disk.folder, { recursive: true })).filter((name) => name.endsWith(".part"));

  it("is left out of the backup; its parts are removed, and its copy made, once it answers", async () => {
    await disk.freeze();
    const backup = await backUp();
    expect(backup.state).toBe("partial");
    expect(copyAt(backup, "slow")).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("took no data for 2 s"),
    });
    expect(await db.storageCleanUp.count({ where: { path: backup.copies[0]?.path ?? "" } })).toBe(1);
    // The worker goes on with other work meanwhile.
    await writeTo("local");
    expect((await backUp()).state).toBe("complete");
    await disk.thaw();
    await db.storageCleanUp.updateMany({ data: { nextAt: new Date() } });
    await vi.waitFor(async () => expect(await partsOnDisk()).toEqual([]), WITHIN);
    await writeTo("local", "slow");
    await makeDue(backup.id);
    await vi.waitFor(async () => {
      const now = await getBackup(install.ctx, backup.id);
      expect(now.state).toBe("complete");
    }, WITHIN);
  });

  const deaths: [string, boolean][] = [
    ["alone", false],
    ["with all that it started", true],
  ];
  it.each(FULL ? deaths : deaths.slice(0, 1))(
    "a worker that is killed %s while it copies there: another makes the copy",
    async (_, whole) => {
      await writeTo("local");
      const backup = await backUp();
      await writeTo("local", "slow");
      await disk.freeze();
      const { id } = await copyBackup(install.ctx, backup.id, { destination: "slow" });
      await install.untilStep(id, "Copy");
      const started = whole ? await descendantsOf(worker.pid) : [];
      await worker.kill();
      await killAll(started);
      await disk.thaw();
      worker = await install.worker(`heir-${whole}`);
      const ended = await install.until(id, "succeeded");
      expect(ended.attempt).toBe(2);
      const now = await getBackup(install.ctx, backup.id);
      expect(copyAt(now, "slow")).toMatchObject({ state: "stored" });
      await expectProven(now, "slow");
    },
  );
});
