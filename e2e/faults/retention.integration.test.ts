import { access } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { deleteBackup } from "../../lib/backups/delete-backup.ts";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { listBackups } from "../../lib/backups/list-backups.ts";
import { pinBackup, unpinBackup } from "../../lib/backups/pin-backup.ts";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import type { BackupInstall } from "../../lib/backups/testing/install.ts";
import { createBackupInstall } from "../../lib/backups/testing/install.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import type { Ctx } from "../../lib/context.ts";
import { createDatabase } from "../../lib/databases/create-database.ts";
import { createDestination } from "../../lib/destinations/create-destination.ts";
import { getOverview } from "../../lib/overview/get-overview.ts";
import { createPolicy } from "../../lib/policies/create-policy.ts";
import { getPolicyRun } from "../../lib/policies/get-policy-run.ts";
import { runPolicy } from "../../lib/policies/run-policy.ts";
import { simulateDraft, simulatePolicy } from "../../lib/policies/simulate-policy.ts";
import { WITHIN } from "../../lib/testing/install.ts";
import { denyChanges, mayDeny } from "./disk.ts";

const deniable = await mayDeny();

let install: BackupInstall;
let ctx: Ctx;
let offsite: string;

beforeAll(async () => {
  install = await createBackupInstall();
  ({ ctx } = install);
  const file = path.join(install.root, "kiosk.sqlite");
  const kiosk = new DatabaseSync(file);
  kiosk.exec("CREATE TABLE visits (id INTEGER PRIMARY KEY, note TEXT)");
  kiosk.exec("INSERT INTO visits VALUES (1, 'one'), (2, 'two')");
  kiosk.close();
  await createDatabase(ctx, {
    name: "kiosk",
    engine: "sqlite",
    environment: "staging",
    connection: { file },
  });
  offsite = path.join(install.root, "offsite");
  await createDestination(ctx, { name: "offsite", kind: "local", config: { folder: offsite } });
  await createPolicy(ctx, {
    name: "nightly",
    databases: ["kiosk"],
    destinations: ["local", "offsite"],
    // No time that comes while this test runs.
    schedule: { kind: "cron", expression: "15 2 29 2 *" },
    retention: { last: 2, proven: 1 },
  });
  await install.startWorker("one");
});
afterAll(() => install.cleanUp());

/** A run of the policy, to its end: its one backup. */
async function run(): Promise<BackupDto> {
  const { id } = await runPolicy(ctx, "nightly");
  const ended = await vi.waitFor(async () => {
    const found = await getPolicyRun(ctx, "nightly", id);
    expect(["succeeded", "failed", "skipped"], `${found.state}`).toContain(found.state);
    return found;
  }, WITHIN);
  expect(ended, ended.reason ?? "").toMatchObject({ state: "succeeded" });
  return await getBackup(ctx, ended.items[0]?.backup?.id ?? "");
}

function folders(backup: BackupDto): string[] {
  return backup.copies.map(({ destination, path: at }) =>
    path.join(destination === "offsite" ? offsite : path.join(install.data, "backups"), at),
  );
}

const isThere = (folder: string) =>
  access(folder).then(
    () => true,
    () => false,
  );

/** The backup once its objects are gone. */
async function deleted(id: string): Promise<BackupDto> {
  return await vi.waitFor(async () => {
    const found = await getBackup(ctx, id);
    expect(found.removal?.removedAt, found.copies.map(({ reason }) => reason).join()).toEqual(
      expect.any(String),
    );
    return found;
  }, WITHIN);
}

describe("retention", () => {
  let first: BackupDto;
  let second: BackupDto;
  let third: BackupDto;

  it("is simulated on the backups that there are, before and after the policy is saved", async () => {
    first = await run();
    second = await run();
    expect(second).toMatchObject({
      policy: "nightly",
      proof: { verdict: "proven" },
      copies: [{ state: "stored" }, { state: "stored" }],
    });
    expect(await simulatePolicy(ctx, "nightly")).toMatchObject({ deletes: 0, keeps: 2 });
    const draft = await simulateDraft(ctx, {
      policy: "nightly",
      databases: ["kiosk"],
      schedule: { kind: "daily", at: "02:15" },
      zone: "Europe/Berlin",
      retention: { last: 1, proven: 1 },
    });
    expect(draft).toMatchObject({
      deletes: 1,
      keeps: 1,
      databases: [{ database: "kiosk", remove: [{ id: first.id, proven: true }], keep: [{ id: second.id }] }],
    });
    expect(draft.nextRuns).toHaveLength(5);
  });

  it("deletes the objects at every destination, and leaves the record", async () => {
    third = await run();
    const gone = await deleted(first.id);
    expect(gone).toMatchObject({
      state: "complete",
      copies: [{ state: "removed" }, { state: "removed" }],
      removal: { reason: "No retention rule keeps it.", retryAt: null },
    });
    for (const folder of folders(first)) expect(await isThere(folder)).toBe(false);
    for (const folder of [...folders(second), ...folders(third)]) expect(await isThere(folder)).toBe(true);
    const ids = async (removed?: "all") =>
      (await listBackups(ctx, removed ? { removed } : {})).items.map(({ id }) => id);
    expect(await ids()).toEqual([third.id, second.id]);
    expect(await ids("all")).toEqual([third.id, second.id, first.id]);
    const actions = await ctx.db.auditEvent.findMany({
      where: { objectId: first.id, action: { startsWith: "backup.delete" } },
      orderBy: { id: "asc" },
    });
    expect(actions.map(({ action }) => action)).toEqual(["backup.delete", "backup.deleted"]);
    await expect(verifyBackup(ctx, first.id)).rejects.toMatchObject({ code: "refused" });
    const target = { kind: "new", on: "kiosk", name: "from-gone" } as const;
    await expect(restoreBackup(ctx, first.id, { target })).rejects.toMatchObject({ code: "refused" });
    await expect(deleteBackup(ctx, first.id)).rejects.toMatchObject({ code: "refused" });
  });

  it("leaves what is pinned, until it is unpinned", async () => {
    const pinned = await pinBackup(ctx, second.id, { reason: "for the auditors" });
    expect(pinned.pin).toMatchObject({ reason: "for the auditors", by: "test" });
    await expect(pinBackup(ctx, second.id, { reason: "again" })).rejects.toMatchObject({ code: "conflict" });
    await expect(deleteBackup(ctx, second.id)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/for the auditors/),
    });
    await run();
    await run();
    await deleted(third.id);
    expect(await getBackup(ctx, second.id)).toMatchObject({
      removal: null,
      copies: [{ state: "stored" }, {}],
    });
    await unpinBackup(ctx, second.id);
    await run();
    await deleted(second.id);
  });

  it.runIf(deniable)("whose destination denies it says so, stays, and is done when it can be", async () => {
    const { items } = await listBackups(ctx, {});
    const oldest = await getBackup(ctx, items.at(-1)?.id ?? "");
    const [atLocal = "", atOffsite = ""] = folders(oldest);
    // The folder of that backup alone: the new one is written beside it.
    const allow = await denyChanges(atOffsite);
    try {
      await run();
      const kept = await vi.waitFor(async () => {
        const found = await getBackup(ctx, oldest.id);
        expect(found.removal?.retryAt).toEqual(expect.any(String));
        return found;
      }, WITHIN);
      expect(kept.removal?.removedAt).toBeNull();
      expect(kept.copies.map(({ destination, state }) => [destination, state])).toEqual([
        ["local", "removed"],
        ["offsite", "removing"],
      ]);
      expect(kept.copies[1]?.reason).toEqual(expect.any(String));
      expect(await isThere(atLocal)).toBe(false);
      expect(await isThere(atOffsite)).toBe(true);
      const operation = await ctx.db.operation.findFirstOrThrow({
        where: { kind: "backup.delete", state: "failed" },
      });
      expect(operation.reason).toContain("offsite keeps one");
      const told = (await getOverview(ctx, {})).attention.find(({ id }) => id === "kept:offsite");
      expect(told).toMatchObject({ action: { href: `/backups/${oldest.id}` } });
    } finally {
      await allow();
    }
    // Its next try, now.
    await ctx.db.backup.update({ where: { id: oldest.id }, data: { removalRetryAt: new Date() } });
    await deleted(oldest.id);
    expect(await isThere(atOffsite)).toBe(false);
  });

  it("by hand refuses the newest proven ones, and the last good one", async () => {
    const { items } = await listBackups(ctx, {});
    const [newest, older] = items;
    await expect(deleteBackup(ctx, newest?.id ?? "")).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/newest proven/),
    });
    const { id } = await deleteBackup(ctx, older?.id ?? "");
    await install.until(id, "succeeded");
    await deleted(older?.id ?? "");
    for (const { id: other } of items.slice(2)) {
      const operation = await deleteBackup(ctx, other);
      await install.until(operation.id, "succeeded");
    }
    await expect(deleteBackup(ctx, newest?.id ?? "")).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/last good/),
    });
  });
});
