import { cp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { engineFor } from "../engines/registry.ts";
import { sandboxRoot } from "../sandbox/sandbox-folder.ts";
import { startTestPostgres, type TestPostgres } from "../testing/postgres.ts";
import { runRestore } from "./restore.ts";
import { temporaryName } from "./restore-names.ts";
import type { DestinationSpec, VerifySpec } from "./schema.ts";
import { recordingIo } from "./testing/recording-io.ts";
import {
  filesBelow,
  type StoredBackup,
  setUpTransfers,
  type TransferSetUp,
} from "./testing/transfer-setup.ts";
import { runVerify } from "./verify.ts";

let server: TestPostgres;
let setUp: TransferSetUp;
let destination: DestinationSpec & { folder: string };
let stored: StoredBackup;

beforeAll(async () => {
  server = await startTestPostgres();
  setUp = await setUpTransfers("postgres");
  await server.createDatabase("shop");
  const client = await server.client("shop");
  await client.query("CREATE ROLE shop_owner");
  await client.query("CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL)");
  await client.query("INSERT INTO customers (name) SELECT 'name ' || g FROM generate_series(1, 5000) g");
  await client.query(
    "CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, note text)",
  );
  await client.query(
    "INSERT INTO orders SELECT g, g % 5000 + 1, md5(g::text) FROM generate_series(1, 50000) g",
  );
  await client.query("CREATE VIEW big_orders AS SELECT * FROM orders WHERE id > 100");
  await client.query("ALTER TABLE orders OWNER TO shop_owner");
  await client.end();
  destination = await setUp.addDestination("place");
  stored = await setUp.dump(server.access("shop"), destination);
});
afterAll(async () => {
  await server.stop();
  await setUp.cleanUp();
});

/** A copy of the stored backup that a test may damage. */
async function damaged(damage: (folder: string) => Promise<void>): Promise<StoredBackup> {
  const place = await setUp.addDestination(`damaged-${Math.random().toString(36).slice(2)}`);
  const folder = join(place.folder, stored.spec.path);
  await cp(stored.folder, folder, { recursive: true });
  await damage(folder);
  return { ...stored, destination: place, folder };
}

async function verify(backup: StoredBackup, more: Partial<VerifySpec> = {}) {
  const io = recordingIo();
  const result = await runVerify(await setUp.verifySpec(backup, more), io);
  return { result, io };
}

async function flipBit(file: string, at: number): Promise<void> {
  const handle = await open(file, "r+");
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
  await handle.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at);
  await handle.close();
}

describe("a proof", () => {
  it("restores the copy into a sandbox and finds it equal", async () => {
    const { result, io } = await verify(stored);
    expect(result.reason).toContain("Restored and compared");
    expect(result).toMatchObject({
      level: "restored",
      verdict: "proven",
      byCount: false,
      copyState: "stored",
      isolation: expect.any(String),
      restoreSeconds: expect.any(Number),
    });
    expect(result.report.tables).toEqual([
      expect.objectContaining({
        name: "public.customers",
        rows: 5000,
        restoredRows: 5000,
        compared: "content",
        equal: true,
      }),
      expect.objectContaining({
        name: "public.orders",
        rows: 50_000,
        restoredRows: 50_000,
        compared: "content",
        equal: true,
      }),
    ]);
    expect(result.report.checks).toContainEqual(expect.objectContaining({ name: "files", state: "passed" }));
    expect(result.report.checks.filter((check) => check.state === "failed")).toEqual([]);
    expect(Object.keys(result.report.seconds)).toEqual(
      expect.arrayContaining(["present", "sandbox", "restore", "fingerprint", "index checks"]),
    );
    expect(io.steps).toEqual(["Look at the copy", "Start sandbox", "Restore", "Compare"]);
    expect(await filesBelow(sandboxRoot(setUp.folder))).toEqual([]);
  });

  it("says by count where contents were not digested", async () => {
    const counted = await setUp.dump(server.access("shop"), destination, { digestBudgetMs: 0 });
    const { result } = await verify(counted);
    expect(result).toMatchObject({ verdict: "proven", byCount: true });
    expect(result.report.tables.map((table) => table.compared)).toEqual(["count", "count"]);
    expect(result.reason).toContain("by count");
  });

  it("re-reads every byte when it goes up to present only", async () => {
    expect((await verify(stored, { upTo: "present" })).result).toMatchObject({
      level: "present",
      verdict: "proven",
    });
    const altered = await damaged((folder) => flipBit(join(folder, "dump.pgdump.zst.age"), 20_000));
    expect((await verify(altered, { upTo: "present" })).result).toMatchObject({
      verdict: "failed",
      copyState: "altered",
    });
  });

  it.each([
    ["the header", 40],
    ["the middle", 200_000],
    ["the last byte", -1],
  ])("fails when one bit is flipped in %s", async (_where, at) => {
    const altered = await damaged(async (folder) => {
      const file = join(folder, "dump.pgdump.zst.age");
      const { size } = await stat(file);
      await flipBit(file, at < 0 ? size + at : Math.min(at, size - 100));
    });
    const { result } = await verify(altered);
    expect(result).toMatchObject({ level: null, verdict: "failed", copyState: "altered" });
    expect(result.reason).toContain("dump.pgdump.zst.age was altered");
  });

  it("fails when one bit of the globals is flipped", async () => {
    const altered = await damaged((folder) => flipBit(join(folder, "globals.sql.zst.age"), 250));
    expect((await verify(altered)).result).toMatchObject({ verdict: "failed", copyState: "altered" });
  });

  it("fails when the last byte is cut", async () => {
    const cut = await damaged(async (folder) => {
      const file = join(folder, "dump.pgdump.zst.age");
      await truncate(file, (await stat(file)).size - 1);
    });
    const { result } = await verify(cut);
    expect(result).toMatchObject({ level: null, verdict: "failed", copyState: "altered" });
    expect(result.reason).toMatch(/has \d+ bytes instead of \d+/);
  });

  it.each(["dump.pgdump.zst.age", "globals.sql.zst.age", "manifest.json", "RESTORE.md"])(
    "fails when %s is missing",
    async (file) => {
      const without = await damaged((folder) => rm(join(folder, file)));
      const { result } = await verify(without);
      expect(result).toMatchObject({ level: null, verdict: "failed", copyState: "missing" });
      expect(result.reason).toContain(file);
    },
  );

  it.each(["manifest.json", "RESTORE.md"])("fails when %s is altered", async (file) => {
    const altered = await damaged(async (folder) => {
      const text = await readFile(join(folder, file), "utf8");
      await writeFile(join(folder, file), text.replace("5000", "5001"));
    });
    expect((await verify(altered)).result).toMatchObject({ verdict: "failed", copyState: "altered" });
  });

  it("fails, table by table, when what was restored is not what was dumped", async () => {
    const manifest = JSON.parse(stored.result.manifestText);
    manifest.fingerprint.tables.find((table: { name: string }) => table.name === "public.orders").rows += 3;
    manifest.fingerprint.tables.find((table: { name: string }) => table.name === "public.customers").digest =
      "1";
    const manifestText = JSON.stringify(manifest);
    const other = await damaged((folder) => writeFile(join(folder, "manifest.json"), manifestText));
    const { result } = await verify({ ...other, result: { ...stored.result, manifestText } });
    expect(result).toMatchObject({ level: "readable", verdict: "failed", copyState: "stored" });
    expect(result.report.tables).toEqual([
      expect.objectContaining({ name: "public.customers", equal: false, note: "same rows, other content" }),
      expect.objectContaining({ name: "public.orders", equal: false, note: "3 rows missing" }),
    ]);
  });

  it("can't be had without the key: unverifiable", async () => {
    const { result } = await verify(stored, { identities: [setUp.otherIdentity] });
    expect(result).toMatchObject({ level: "present", verdict: "unverifiable", copyState: "stored" });
    expect(result.reason).toContain("None of the keys here");
  });

  it("can't be had while the destination is gone: unverifiable", async () => {
    const unmounted = await damaged((folder) =>
      rm(join(folder, "..", "..", "..", ".holdfast-destination.json")),
    );
    const { result } = await verify(unmounted);
    expect(result).toMatchObject({ level: null, verdict: "unverifiable", copyState: "unreachable" });
  });

  it("stops when it is told to, and leaves no sandbox", async () => {
    const io = recordingIo((progress, recording) => {
      if (progress.label === "Read the copy" || progress.label === "Restore")
        recording.abort(new Error("cancelled by Ann"));
    });
    await expect(runVerify(await setUp.verifySpec(stored), io)).rejects.toThrow("cancelled by Ann");
    expect(await filesBelow(sandboxRoot(setUp.folder))).toEqual([]);
  });
});

describe("a restore", () => {
  async function rowsOf(database: string): Promise<unknown> {
    const client = await server.client(database);
    const { rows } = await client.query(
      "SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT tableowner FROM pg_tables WHERE tablename = 'orders') AS owner",
    );
    await client.end();
    return rows[0];
  }

  async function databases(): Promise<string[]> {
    const client = await server.client();
    const { rows } = await client.query<{ datname: string }>(
      "SELECT datname FROM pg_database ORDER BY datname",
    );
    await client.end();
    return rows.map((row) => row.datname);
  }

  it("makes a new database, equal to the backup, with owners on the same server", async () => {
    const spec = await setUp.restoreSpec(stored, {
      on: server.access("shop"),
      target: { kind: "new", name: "shop_new" },
    });
    const io = recordingIo();
    const result = await runRestore(spec, io);
    expect(result).toMatchObject({ equal: true, access: { connection: { database: "shop_new" } } });
    expect(await rowsOf("shop_new")).toEqual({ orders: 50_000, owner: "shop_owner" });
    expect(await filesBelow(spec.spoolDir)).toEqual([]);
    expect(io.steps).toEqual(["Look at the copy", "Create database", "Restore", "Compare"]);
  });

  it("never touches a database that exists", async () => {
    const spec = await setUp.restoreSpec(stored, {
      on: server.access("shop"),
      target: { kind: "new", name: "shop" },
    });
    await expect(runRestore(spec, recordingIo())).rejects.toMatchObject({ code: "conflict" });
    expect(await rowsOf("shop")).toMatchObject({ orders: 50_000 });
  });

  it("goes over an existing database only as a whole, and drops the replaced one last", async () => {
    await server.createDatabase("live");
    const client = await server.client("live");
    await client.query("CREATE TABLE orders (id int)");
    await client.end();
    const before = await databases();
    const on = { ...server.access("live") };
    const spec = await setUp.restoreSpec(stored, {
      on,
      target: { kind: "over", name: "live", endSessions: false },
    });
    const result = await runRestore(spec, recordingIo());
    expect(result.equal).toBe(true);
    expect(await rowsOf("live")).toEqual({ orders: 50_000, owner: "shop_owner" });
    expect(await databases()).toEqual(before);
  });

  it("leaves the target as it is while others are connected, and drops what it restored", async () => {
    await server.createDatabase("busy");
    const other = await server.client("busy");
    await other.query("CREATE TABLE mine (id int)");
    const before = await databases();
    const on = server.access("busy");
    const spec = await setUp.restoreSpec(stored, {
      on,
      target: { kind: "over", name: "busy", endSessions: false },
    });
    await expect(runRestore(spec, recordingIo())).rejects.toMatchObject({ code: "conflict" });
    expect((await other.query("SELECT count(*)::int AS n FROM mine")).rows).toEqual([{ n: 0 }]);
    expect(await databases()).toEqual(before);
    const ending = await setUp.restoreSpec(stored, {
      on,
      target: { kind: "over", name: "busy", endSessions: true },
    });
    expect((await runRestore(ending, recordingIo())).equal).toBe(true);
    await other.end().catch(() => undefined);
    expect(await rowsOf("busy")).toMatchObject({ orders: 50_000 });
    expect(await databases()).toEqual(before);
  });

  it("refuses a damaged copy and leaves no database", async () => {
    const altered = await damaged(async (folder) => {
      const file = join(folder, "dump.pgdump.zst.age");
      await flipBit(file, Math.floor((await stat(file)).size / 2));
    });
    const before = await databases();
    const spec = await setUp.restoreSpec(altered, {
      on: server.access("shop"),
      target: { kind: "new", name: "from_damaged" },
    });
    await expect(runRestore(spec, recordingIo())).rejects.toThrow();
    expect(await databases()).toEqual(before);
    expect(await filesBelow(spec.spoolDir)).toEqual([]);
  });

  it("drops the half-restored database when it is cancelled", async () => {
    const before = await databases();
    const spec = await setUp.restoreSpec(stored, {
      on: server.access("shop"),
      target: { kind: "over", name: "shop", endSessions: true },
    });
    const io = recordingIo((progress, recording) => {
      if (progress.label === "Restore") recording.abort(new Error("cancelled by Ann"));
    });
    await expect(runRestore(spec, io)).rejects.toThrow("cancelled by Ann");
    expect(await databases()).toEqual(before);
    expect(before).not.toContain(temporaryName(spec.operationId));
    expect(await rowsOf("shop")).toMatchObject({ orders: 50_000 });
  });

  it("works on another server, without owners", async () => {
    const other = await startTestPostgres();
    try {
      const spec = await setUp.restoreSpec(stored, {
        on: other.access(),
        target: { kind: "new", name: "elsewhere" },
      });
      const result = await runRestore(spec, recordingIo());
      expect(result.equal).toBe(true);
      const { identity } = await engineFor("postgres").probe(
        other.access("elsewhere"),
        AbortSignal.timeout(10_000),
      );
      expect(identity).not.toBe(JSON.parse(stored.result.manifestText).database.serverIdentity);
    } finally {
      await other.stop();
    }
  });
});
