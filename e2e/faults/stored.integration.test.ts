import { mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getBackup } from "../../lib/backups/get-backup.ts";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import type { BackupDto } from "../../lib/backups/schema.ts";
import { verifyBackup } from "../../lib/backups/verify-backup.ts";
import { createDestination } from "../../lib/destinations/create-destination.ts";
import type { TestPostgres } from "../../lib/testing/postgres.ts";
import { mayMount, mountFull, unmount } from "./disk.ts";
import { attentionFor, expectNoBackup, expectStands, promiseOf } from "./expectations.ts";
import type { Install } from "./install.ts";
import { installWithShops } from "./install.ts";
import { leftovers } from "./leftovers.ts";
import { spawnWorker } from "./worker-process.ts";

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

/** Only these destinations are written to. */
async function writeTo(...names: string[]): Promise<void> {
  const { destination } = install.ctx.db;
  await destination.updateMany({ where: { name: { in: names } }, data: { archivedAt: null } });
  await destination.updateMany({ where: { name: { notIn: names } }, data: { archivedAt: new Date() } });
}

async function flipBit(file: string): Promise<void> {
  const middle = Math.floor((await stat(file)).size / 2);
  const handle = await open(file, "r+");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, middle);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, middle);
  await handle.close();
}

describe("a stored artefact", () => {
  const damages: [string, string, (file: string) => Promise<void>, "altered" | "missing"][] = [
    ["with one bit flipped", "dump.pgdump.zst.age", flipBit, "altered"],
    [
      "with its last byte cut",
      "dump.pgdump.zst.age",
      async (file) => truncate(file, (await stat(file)).size - 1),
      "altered",
    ],
    ["that was removed", "globals.sql.zst.age", (file) => rm(file), "missing"],
    [
      "whose manifest was altered",
      "manifest.json",
      async (file) =>
        writeFile(file, (await readFile(file, "utf8")).replace('"rows": 40000', '"rows": 40001')),
      "altered",
    ],
  ];

  it.each(damages)(
    "%s is told everywhere, and nobody restores from it",
    async (_what, file, damage, state) => {
      const { ctx } = install;
      const started = await runBackup(ctx, { database: "shop", verify: false });
      await install.until(started.operationId, "succeeded");
      await damage(path.join(install.data, "backups", started.copies[0]?.path ?? "", file));
      const proof = await verifyBackup(ctx, started.id);
      const { reason } = await install.until(proof.id, "failed");
      expect(reason).toContain(file);
      const backup = await getBackup(ctx, started.id);
      expect(backup).toMatchObject({
        copies: [{ state }],
        proof: { verdict: "failed", level: null, restoreSeconds: null },
        lastProvenBackup: { id: good.id },
      });
      expect(await promiseOf(install, "shop")).toMatchObject({
        state: "problem",
        href: `/backups/${started.id}`,
      });
      const attention = await attentionFor(install, "shop");
      expect(attention.map(({ severity }) => severity)).toContain("problem");
      await expect(
        restoreBackup(ctx, started.id, { target: { kind: "new", on: "shop", name: "from_bad" } }),
      ).rejects.toMatchObject({ code: "refused" });
      expect(await getBackup(ctx, good.id)).toMatchObject({
        proof: { verdict: "proven" },
        state: "complete",
      });
      expect(await leftovers(install, server, ["shop"])).toEqual([]);
    },
  );

  it("is good again for a new backup", async () => {
    good = await install.proven("shop");
    expect(await promiseOf(install, "shop")).toMatchObject({ href: `/backups/${good.id}` });
  });
});

const mounting = await mayMount();

/** A place that takes one MiB; without the right to mount one, files of a worker that end there. */
async function fullPlace(): Promise<{ folder: string; wrapper: string[]; remove(): Promise<void> }> {
  const folder = path.join(install.root, "full");
  await mkdir(folder);
  if (!mounting) return { folder, wrapper: ["prlimit", "--fsize=1048576"], remove: async () => undefined };
  await mountFull(folder);
  return { folder, wrapper: [], remove: () => unmount(folder) };
}

describe("a destination whose disk is full", () => {
  let place: Awaited<ReturnType<typeof fullPlace>>;
  const FULL = /full|too large/;
  beforeAll(async () => {
    place = await fullPlace();
    await createDestination(install.ctx, { name: "full", kind: "local", config: { folder: place.folder } });
    await server.createDatabase("copy");
    await install.register("copy", server.url("copy"), "narrow");
    const client = await server.client("copy");
    await client.query(
      "CREATE TABLE bulk AS SELECT g, md5(g::text) || md5((-g)::text) AS t FROM generate_series(1, 60000) g",
    );
    await client.end();
    await install.worker("narrow", { pool: "narrow", wrapper: place.wrapper });
  });
  afterAll(async () => {
    await place.remove();
  });

  it("fails the backup when it is the only one, and keeps nothing half-written", async () => {
    await writeTo("full");
    const { id, operationId } = await runBackup(install.ctx, { database: "copy" });
    const { reason, error } = await install.until(operationId, "failed");
    expect(reason).toMatch(FULL);
    expect(error?.remedy).toBeTruthy();
    await expectNoBackup(install, id, "failed", FULL);
    expect(await leftovers(install, server, ["shop", "copy"])).toEqual([]);
    expect(await promiseOf(install, "copy")).toMatchObject({ state: "problem", text: "never backed up" });
  });

  it.runIf(mounting)("leaves the other copy, which is proven; the backup is partial", async () => {
    await writeTo("local", "full");
    const { id, operationId } = await runBackup(install.ctx, { database: "copy" });
    await install.until(operationId, "succeeded");
    const { verification } = await getBackup(install.ctx, id);
    if (verification) await install.until(verification.operationId, "succeeded");
    const backup = await getBackup(install.ctx, id);
    expect(backup).toMatchObject({ state: "partial", reason: expect.stringMatching(FULL) });
    expect(backup).toMatchObject({ proof: { verdict: "proven", destination: "local" } });
    expect(backup.copies.map(({ destination, state }) => [destination, state])).toEqual([
      ["local", "stored"],
      ["full", "failed"],
    ]);
    expect(await leftovers(install, server, ["shop", "copy"])).toEqual([]);
    await writeTo("local");
  });
});

describe("a key file that is gone", () => {
  async function without(file: string, work: () => Promise<void>): Promise<void> {
    const [here, away] = [path.join(install.keys, file), path.join(install.root, "away")];
    await rename(here, away);
    try {
      await work();
    } finally {
      await rename(away, here);
    }
  }

  it.each(["identity.txt", "audit.key"])("%s: a worker refuses to start, and makes none", async (file) => {
    await without(file, async () => {
      const worker = spawnWorker({ ...install.env, HOLDFAST_WORKER_NAME: "keyless" });
      expect(await worker.exited).toBe(1);
      expect(worker.said()).toContain(file);
      expect(worker.said()).toContain("Put the key");
      await expect(stat(path.join(install.keys, file))).rejects.toThrow();
    });
    expect(await install.ctx.db.worker.count({ where: { name: "keyless" } })).toBe(0);
  });

  it("while a worker runs: nothing is written in the clear, and it says which", async () => {
    await writeTo("local");
    await without("identity.txt", async () => {
      const { id, operationId } = await runBackup(install.ctx, { database: "shop" });
      const { reason, error } = await install.until(operationId, "failed");
      expect(reason).toMatch(/lacks identity\.txt/);
      expect(error?.remedy).toContain("Put the key");
      await expectNoBackup(install, id, "failed", /lacks identity\.txt/);
      const proof = await verifyBackup(install.ctx, good.id);
      expect((await install.until(proof.id, "failed")).reason).toMatch(/lacks identity\.txt/);
      await expectStands(install, good, /lacks identity\.txt/);
    });
    expect(await leftovers(install, server, ["shop", "copy"])).toEqual([]);
    good = await install.proven("shop");
  });
});

describe("a dump whose code tries to leave the sandbox", () => {
  it("reaches neither keys, data nor source, leaves nothing running, and the proof says how it was held", async () => {
    await writeTo("local");
    await server.createDatabase("hostile");
    const loot = path.join(install.data, "loot");
    const client = await server.client("hostile");
    await client.query(`
      CREATE EXTENSION dblink;
      CREATE TABLE bait (a int); INSERT INTO bait VALUES (1);
      CREATE FUNCTION leave(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $leave$ BEGIN
        IF current_setting('cluster_name') NOT LIKE 'holdfast-%' THEN RETURN a; END IF;
        BEGIN COPY (SELECT 1) TO PROGRAM 'touch ${loot}; setsid sleep 600 & exit 0'; EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN EXECUTE 'COPY (SELECT 1) TO ''${loot}'''; EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN PERFORM pg_read_file('${install.keys}/identity.txt'); RAISE 'the key was read' USING ERRCODE = 'ZZ001';
          EXCEPTION WHEN SQLSTATE 'ZZ001' THEN RAISE; WHEN OTHERS THEN NULL; END;
        BEGIN PERFORM public.dblink_exec('${server.url("hostile")}', 'CREATE TABLE reached ()'); EXCEPTION WHEN OTHERS THEN NULL; END;
        BEGIN PERFORM public.dblink_connect('left', 'dbname=hostile');
          PERFORM public.dblink_send_query('left', 'SELECT pg_sleep(600)'); EXCEPTION WHEN OTHERS THEN NULL; END;
        RETURN a;
      END $leave$;
      CREATE INDEX bait_index ON bait (leave(a))`);
    await install.register("hostile", server.url("hostile"));
    const { id, operationId } = await runBackup(install.ctx, { database: "hostile" });
    await install.until(operationId, "succeeded");
    const { verification } = await getBackup(install.ctx, id);
    if (verification) await install.until(verification.operationId, "succeeded", "failed");
    const { proof } = await getBackup(install.ctx, id);
    // Where a sandbox can be had the restore goes to its end; elsewhere it is unverifiable, and never proven.
    expect(proof?.verdict).toBe(proof?.isolation === "namespaces" ? "proven" : "unverifiable");
    await expect(stat(loot)).rejects.toThrow();
    const { rows } = await client.query("SELECT FROM pg_class WHERE relname = 'reached'");
    await client.end();
    expect(rows).toEqual([]);
    expect(await leftovers(install, server, ["shop", "copy", "hostile"])).toEqual([]);
  });
});
