import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import { createDestination } from "../../lib/destinations/create-destination.ts";
import { cancelOperation } from "../../lib/operations/cancel-operation.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { makeDisk } from "./disk.ts";
import { expectNoBackup, expectStands, promiseOf } from "./expectations.ts";
import {
  DUMPING,
  FINGERPRINT,
  holdDump,
  holdFingerprint,
  holdRename,
  holdRestore,
  holdTable,
  INDEXING,
  LOCKING,
  releaseAll,
  setPace,
} from "./gates.ts";
import type { Install } from "./install.ts";
import { installWithShops, WITHIN } from "./install.ts";
import { leftovers, nothingLeft } from "./leftovers.ts";

const KNOWN = ["shop", "shop_first", "far"];

let server: TestPostgres;
let install: Install;
let cleanUp: () => Promise<void>;
let good: BackupDto;

beforeAll(async () => {
  ({ install, server, cleanUp } = await installWithShops({ shop: "default" }));
  await install.worker("one");
  good = await install.proven("shop");
});
afterAll(() => cleanUp());
beforeEach(() => setPace(server, "shop", {}));
afterEach(releaseAll);

/** Asks for the end, and looks at once when the state says that it came: nothing may be left then. */
async function cancel(operationId: string): Promise<void> {
  await cancelOperation(install.ctx, operationId);
  const ended = await install.until(operationId, "cancelled");
  expect(ended.reason).toBe("cancelled by test");
  expect(ended.steps.every(({ state }) => state !== "running")).toBe(true);
  expect(await leftovers(install, server, KNOWN)).toEqual([]);
}

const rowsOf = async (table: string) => {
  const client = await server.client("shop");
  const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
  await client.end();
  return rows[0]?.n;
};

describe("a backup that is cancelled", () => {
  it("while it waits for other work on the same database", async () => {
    const gate = await holdRestore(server);
    const first = await restoreBackup(install.ctx, good.id, {
      target: { kind: "new", on: "shop", name: "shop_first" },
    });
    await gate.reached(INDEXING);
    const second = await runBackup(install.ctx, { database: "shop" });
    await vi.waitFor(async () => {
      const { waitsFor } = await install.until(second.operationId, "queued");
      expect(waitsFor).toMatch(/^database:.*\/shop$/);
    }, WITHIN);
    await cancelOperation(install.ctx, second.operationId);
    await expectNoBackup(install, second.id, "cancelled", /^cancelled by test$/);
    await gate.release();
    await install.until(first.id, "succeeded");
    await nothingLeft(install, server, KNOWN);
    await expectStands(install, good);
  });

  it("while no worker is there to take it", async () => {
    await server.createDatabase("far");
    await install.register("shop-far", server.url("far"), "far");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop-far" });
    await cancelOperation(install.ctx, operationId);
    await expectNoBackup(install, id, "cancelled", /^cancelled by test$/);
    const late = await install.worker("late", { pool: "far" });
    await nothingLeft(install, server, KNOWN);
    await expectNoBackup(install, id, "cancelled", /^cancelled by test$/);
    await late.kill();
  });

  it("while it waits for a table's lock", async () => {
    const gate = await holdTable(server, "shop");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
    await gate.reached(LOCKING);
    await install.untilStep(operationId, "Open snapshot");
    await cancel(operationId);
    await gate.release();
    await expectNoBackup(install, id, "cancelled", /^cancelled by test$/);
    await expectStands(install, good);
  });

  it("in the middle of the dump", async () => {
    const gate = await holdDump(server, "shop");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
    await gate.reached(DUMPING);
    await install.untilStep(operationId, "Dump");
    await cancel(operationId);
    await gate.release();
    await expectNoBackup(install, id, "cancelled", /^cancelled by test$/);
    await expectStands(install, good);
  });

  it("while its fingerprint is taken", async () => {
    const dump = await holdDump(server, "shop");
    const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
    await dump.reached(DUMPING);
    const gate = await holdFingerprint(server, "shop", dump);
    await gate.reached(FINGERPRINT);
    await install.untilStep(operationId, "Fingerprint");
    await cancel(operationId);
    await gate.release();
    await expectNoBackup(install, id, "cancelled", /^cancelled by test$/);
    await expectStands(install, good);
  });

  it("while it is published, to one destination already", async () => {
    const disk = await makeDisk(install.root, 24);
    await createDestination(install.ctx, { name: "second", kind: "local", config: { folder: disk.folder } });
    try {
      const dump = await holdDump(server, "shop");
      const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
      await dump.reached(DUMPING);
      const gate = await holdFingerprint(server, "shop", dump);
      await gate.reached(FINGERPRINT);
      await install.untilStep(operationId, "Fingerprint");
      await disk.freeze();
      if (disk.holds) await gate.release();
      if (disk.holds) await install.untilStep(operationId, "Publish");
      await cancelOperation(install.ctx, operationId);
      await disk.thaw();
      await install.until(operationId, "cancelled");
      expect(await leftovers(install, server, KNOWN)).toEqual([]);
      await expectNoBackup(install, id, "cancelled", /^cancelled by test$/);
      await expectStands(install, good);
    } finally {
      await disk.thaw();
      await install.ctx.db.destination.update({
        where: { name: "second" },
        data: { archivedAt: new Date() },
      });
      await disk.remove();
    }
  });
});

describe("a proof that is cancelled", () => {
  it.each([
    ["while it restores", { restoring: 600 }, "Restore"],
    ["while it compares", { checking: 600 }, "Compare"],
  ])("%s: no verdict, no sandbox", async (_when, pace, step) => {
    await setPace(server, "shop", pace);
    const { id, operationId } = await runBackup(install.ctx, { database: "shop", verify: false });
    await install.until(operationId, "succeeded");
    const proof = await verifyBackup(install.ctx, id);
    await install.untilStep(proof.id, step);
    await cancel(proof.id);
    expect(await getBackup(install.ctx, id)).toMatchObject({
      state: "complete",
      proof: null,
      proofs: [],
      verification: null,
      copies: [{ state: "stored" }],
      lastProvenBackup: { id: good.id },
    });
    const promise = await promiseOf(install, "shop");
    expect(promise).toMatchObject({ state: "warning", href: `/backups/${good.id}` });
  });
});

describe("a restore that is cancelled", () => {
  it("into a new database: the half-made one is gone", async () => {
    const gate = await holdRestore(server);
    const { id } = await restoreBackup(install.ctx, good.id, {
      target: { kind: "new", on: "shop", name: "shop_new", register: true },
    });
    await gate.reached(INDEXING);
    await cancel(id);
    await gate.release();
    expect(await install.ctx.db.database.findMany({ where: { name: "shop-new" } })).toEqual([]);
  });

  const over = { target: { kind: "over", database: "shop", confirm: "shop", endSessions: true } } as const;

  it("over a database, during its safety backup: nothing was touched", async () => {
    const gate = await holdDump(server, "shop");
    const { id } = await restoreBackup(install.ctx, good.id, over);
    await gate.reached(DUMPING);
    await cancelOperation(install.ctx, id);
    await install.until(id, "cancelled");
    // The backup is an operation of its own, and ends by itself.
    await nothingLeft(install, server, KNOWN);
    await gate.release();
    const { related } = await install.until(id, "cancelled");
    expect(related.map(({ kind, state }) => [kind, state])).toEqual([["backup.run", "cancelled"]]);
    await expectNoBackup(install, related[0]?.backupId ?? "", "cancelled", /cancelled by/);
    await expectStands(install, good);
  });

  it("over a database, before the swap: it is as it was", async () => {
    const client = await server.client("shop");
    await client.query("INSERT INTO c_last VALUES (-1, 'newer than the backup')");
    await client.end();
    const gate = await holdRestore(server);
    const { id } = await restoreBackup(install.ctx, good.id, over);
    await gate.reached(INDEXING);
    await cancel(id);
    await gate.release();
    expect(await rowsOf("c_last")).toBe(40_001);
    const { related } = await install.until(id, "cancelled");
    expect(related.map(({ kind, state }) => [kind, state])).toEqual([
      ["backup.run", "succeeded"],
      ["backup.verify", "succeeded"],
    ]);
  });

  it("over a database, in the swap: it is whole, and open", async () => {
    const restoring = await holdRestore(server);
    const { id } = await restoreBackup(install.ctx, good.id, over);
    await restoring.reached(INDEXING);
    const renaming = await holdRename(server);
    await restoring.release();
    await renaming.reached(/^ALTER DATABASE/);
    await cancelOperation(install.ctx, id);
    await renaming.release();
    await install.until(id, "cancelled");
    expect(await leftovers(install, server, KNOWN)).toEqual([]);
    expect(await rowsOf("c_last")).toBe(40_001);
  });
});
