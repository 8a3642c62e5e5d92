import type { ChildProcess } from "node:child_process";
import { open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor, Ctx } from "../context.ts";
import { createDatabase } from "../databases/create-database.ts";
import { getDatabase } from "../databases/get-database.ts";
import { archiveDestination } from "../destinations/archive-destination.ts";
import { createDestination } from "../destinations/create-destination.ts";
import { listDestinations } from "../destinations/list-destinations.ts";
import { newId } from "../ids.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { filesBelow } from "../transfer/testing/transfer-setup.ts";
import { backupDays } from "./backup-days.ts";
import { copyBackup } from "./copy-backup.ts";
import { downloadArtefact } from "./download-artefact.ts";
import { getBackup } from "./get-backup.ts";
import { getManifest } from "./get-manifest.ts";
import { listBackups } from "./list-backups.ts";
import { listProofTables } from "./list-proof-tables.ts";
import { restoreBackup } from "./restore-backup.ts";
import { runBackup } from "./run-backup.ts";
import { backupSchema } from "./schema.ts";
import { type BackupInstall, kill } from "./testing/install.ts";
import { as, createShopInstall } from "./testing/shop.ts";
import { verifyBackup } from "./verify-backup.ts";

let install: BackupInstall;
let server: TestPostgres;
let ctx: Ctx;
let worker: ChildProcess;
let cleanUp: () => Promise<void>;

beforeAll(async () => {
  ({ install, server, ctx, worker, cleanUp } = await createShopInstall());
}, 120_000);
afterAll(() => cleanUp());

async function flipBit(file: string): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, "r+");
  const { buffer: byte } = await handle.read(Buffer.alloc(1), 0, 1, Math.floor(size / 2));
  await handle.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, Math.floor(size / 2));
  await handle.close();
}

describe("a backup from the click to the proof", () => {
  it("is complete and proven, and says so everywhere", async () => {
    const backup = await install.backUp("shop-production");
    expect(backupSchema.parse(backup)).toEqual(backup);
    expect(backup).toMatchObject({
      state: "complete",
      database: "shop-production",
      tableCount: 2,
      rowCount: 43_000,
      copies: [{ destination: "local", state: "stored", sizeBytes: expect.any(Number) }],
      proof: {
        level: "restored",
        verdict: "proven",
        tableCounts: { equal: 2, different: 0, notCompared: 0 },
        restoreSeconds: expect.any(Number),
        tables: [
          { name: "public.customers", rows: 3000, compared: "content", equal: true },
          { name: "public.orders", rows: 40_000, compared: "content", equal: true },
        ],
      },
      verification: null,
      lastProvenBackup: { id: backup.id },
    });
    expect(backup.restoreCommands.join("\n")).toContain("pg_restore");
    expect(JSON.parse(await getManifest(ctx, backup.id))).toMatchObject({ backupId: backup.id });
    expect((await listBackups(ctx, { verdict: "proven" })).items[0]).toMatchObject({ id: backup.id });
    const days = await backupDays(ctx, "shop-production", { zone: "Europe/Berlin" });
    expect(days).toEqual([
      { day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), proven: 1, unproven: 0, failed: 0 },
    ]);
    const { recoverable, serverIdentity } = await getDatabase(ctx, "shop-production");
    expect(recoverable.state).not.toBe("problem");
    expect(serverIdentity).not.toBeNull();
    const actions = await ctx.db.auditEvent.findMany({
      where: { objectId: backup.id },
      orderBy: { id: "asc" },
    });
    expect(actions.map((event) => event.action)).toEqual(["backup.run", "backup.finish", "backup.prove"]);
  });

  it("pages and filters the tables of its proof", async () => {
    const { items } = await listBackups(ctx, { verdict: "proven" });
    const id = items[0]?.id ?? "";
    const first = await listProofTables(ctx, id, { limit: 1 });
    expect(first.items.map((table) => table.name)).toEqual(["public.customers"]);
    const second = await listProofTables(ctx, id, { limit: 1, cursor: first.nextCursor ?? "" });
    expect(second).toMatchObject({ items: [{ name: "public.orders" }], nextCursor: null });
    expect((await listProofTables(ctx, id, { result: "different" })).items).toEqual([]);
    expect((await listProofTables(ctx, id, { q: "ORD" })).items).toHaveLength(1);
  });

  it("runs once when it is asked for twice at once", async () => {
    const asked = await Promise.allSettled([
      runBackup(ctx, { database: "shop-production" }),
      runBackup(ctx, { database: "shop-production" }),
    ]);
    const made = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const refused = asked.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(made).toHaveLength(1);
    expect(refused).toEqual([expect.objectContaining({ code: "conflict" })]);
    expect(refused[0].message).toContain(made[0]?.operationId);
    await install.until(made[0]?.operationId ?? "", "succeeded");
  });

  it("needs the role, and an existing database", async () => {
    await expect(runBackup(as(ctx, "viewer"), { database: "shop-production" })).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(runBackup(ctx, { database: "nothing" })).rejects.toMatchObject({ code: "not_found" });
  });

  it("fails with the reason when the database can't be reached; the last good one stands", async () => {
    await createDatabase(ctx, {
      name: "wrong-password",
      engine: "postgres",
      environment: "staging",
      url: server.url("postgres").replace(/:[^:@/]+@/, ":not-it@"),
    });
    const started = await runBackup(ctx, { database: "wrong-password" });
    const { reason } = await install.until(started.operationId, "failed");
    expect(reason).not.toContain("not-it");
    const backup = await getBackup(ctx, started.id);
    expect(backup).toMatchObject({ state: "failed", copies: [{ state: "failed" }], proof: null });
    expect(backup.reason).toContain("password");
    expect((await listBackups(ctx, { verdict: "proven" })).items.length).toBeGreaterThan(0);
  });
});

describe("a damaged copy", () => {
  it("fails its proof, and the backup with it", async () => {
    const backup = await install.backUp("shop-production");
    const file = join(install.data, "backups", backup.copies[0]?.path ?? "", "dump.pgdump.zst.age");
    await flipBit(file);
    const operation = await verifyBackup(ctx, backup.id);
    const { reason, result } = await install.until(operation.id, "failed");
    expect(reason).toContain("was altered");
    expect(result).toMatchObject({ verdict: "failed" });
    expect(await getBackup(ctx, backup.id)).toMatchObject({
      state: "complete",
      copies: [{ state: "altered" }],
      proof: { verdict: "failed", level: null, operationId: operation.id },
    });
    await expect(
      restoreBackup(ctx, backup.id, { target: { kind: "new", on: "shop-production", name: "from_bad" } }),
    ).rejects.toMatchObject({ code: "refused" });
  });
});

describe("downloading an artefact", () => {
  it("streams it as stored or as dumped to an admin's token, and audits it", async () => {
    const { items } = await listBackups(ctx, { verdict: "proven" });
    const backup = items[0]?.id ?? "";
    const input = { backup, artefact: "dump", confirmPassword: null };
    const stored = await downloadArtefact(as(ctx, "admin"), { ...input, query: {} });
    expect(stored.fileName).toBe("dump.pgdump.zst.age");
    expect((await buffer(stored.stream)).subarray(0, 21).toString()).toBe("age-encryption.org/v1");
    const plain = await downloadArtefact(as(ctx, "admin"), { ...input, query: { as: "dump" } });
    expect(plain.fileName).toBe("dump.pgdump");
    const bytes = await buffer(plain.stream);
    expect(bytes.subarray(0, 5).toString()).toBe("PGDMP");
    expect(bytes.length).toBe(plain.bytes);
    expect(await ctx.db.auditEvent.count({ where: { action: "backup.download", objectId: backup } })).toBe(2);
    await expect(downloadArtefact(as(ctx, "operator"), { ...input, query: {} })).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("asks a person for the password", async () => {
    const { items } = await listBackups(ctx, { verdict: "proven" });
    const actor: Actor = {
      kind: "user",
      id: newId(),
      name: "Ann",
      role: "admin",
      scope: { environments: [], applications: [] },
      sessionId: newId(),
    };
    await expect(
      downloadArtefact(
        { ...ctx, actor },
        { backup: items[0]?.id ?? "", artefact: "dump", query: {}, confirmPassword: null },
      ),
    ).rejects.toMatchObject({ code: "invalid", fields: { confirmPassword: expect.any(String) } });
  });
});

describe("several destinations", () => {
  it("is partial when one of them fails, and is proven from the other", async () => {
    const folder = join(install.data, "second");
    await createDestination(ctx, { name: "second", kind: "local", config: { folder } });
    const both = await install.backUp("shop-production");
    expect(both.copies.map((copy) => copy.state)).toEqual(["stored", "stored"]);
    expect(both.proofs.map((proof) => [proof.destination, proof.level, proof.verdict])).toEqual(
      expect.arrayContaining([
        ["local", "restored", "proven"],
        ["second", "present", "proven"],
      ]),
    );
    await rm(join(folder, ".holdfast-destination.json"));
    const backup = await install.backUp("shop-production");
    expect(backup).toMatchObject({ state: "partial", proof: { verdict: "proven" } });
    expect(backup.copies).toMatchObject([
      { destination: "local", state: "stored" },
      { destination: "second", state: "failed", reason: expect.stringContaining("not there") },
    ]);
    const { items } = await listDestinations(ctx);
    expect(items).toMatchObject([{ name: "local" }, { name: "second", copies: 1 }]);
    // Nothing is made again there from now on, neither by itself nor by an operation that waits already.
    const copies = () => ctx.db.copy.findMany({ where: { backupId: backup.id, state: "failed" } });
    expect(await copies()).toMatchObject([{ retryAt: expect.any(Date) }]);
    await kill(worker);
    const asked = await copyBackup(ctx, backup.id, { destination: "second" });
    await archiveDestination(ctx, "second");
    worker = await install.startWorker("after");
    await install.until(asked.id, "failed");
    const { reason } = await ctx.db.operation.findUniqueOrThrow({ where: { id: asked.id } });
    expect(reason).toContain("second is archived");
    expect(await copies()).toMatchObject([{ retryAt: null }]);
  });
});

describe("a worker that is killed", () => {
  it("in the middle of a dump: nothing half-written stays, and the backup is made by another", async () => {
    const client = await server.client("shop");
    await client.query(
      "CREATE TABLE bulk AS SELECT g, md5(g::text) || md5((g + 1)::text) AS t FROM generate_series(1, 1500000) g",
    );
    await client.end();
    const started = await runBackup(ctx, { database: "shop-production", verify: false });
    const first = join(install.data, "backups", started.copies[0]?.path ?? "");
    await expect.poll(() => partsIn(first), { timeout: 30_000, interval: 5 }).not.toEqual([]);
    await kill(worker);
    await install.startWorker("two");
    await install.until(started.operationId, "succeeded");
    const made = await getBackup(ctx, started.id);
    expect(made).toMatchObject({ state: "complete", copies: [{ state: "stored" }] });
    // The second attempt has a folder of its own; of the first one's nothing is left.
    const folder = join(install.data, "backups", made.copies[0]?.path ?? "");
    expect(folder).not.toBe(first);
    await expect(readdir(first)).rejects.toMatchObject({ code: "ENOENT" });
    expect((await filesBelow(folder)).sort()).toEqual([
      "RESTORE.md",
      "dump.pgdump.zst.age",
      "globals.sql.zst.age",
      "manifest.json",
    ]);
    const { attempt } = await ctx.db.operation.findUniqueOrThrow({ where: { id: started.operationId } });
    expect(attempt).toBe(2);
  }, 120_000);
});

async function partsIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".part"));
}
