import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sandboxRoot } from "../sandbox/sandbox-folder.ts";
import { startTestPostgres, type TestPostgres } from "../testing/postgres.ts";
import type { DestinationSpec, VerifySpec } from "./schema.ts";
import { makeShop } from "./testing/make-shop.ts";
import { recordingIo } from "./testing/recording-io.ts";
import {
  filesBelow,
  flipBit,
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
  await makeShop(server);
  destination = await setUp.addDestination("place");
  stored = await setUp.dump(server.access("shop"), destination);
});
afterAll(async () => {
  await server.stop();
  await setUp.cleanUp();
});

const damaged = (damage: (folder: string) => Promise<void>) => setUp.damaged(stored, damage);

async function verify(backup: StoredBackup, more: Partial<VerifySpec> = {}) {
  const io = recordingIo();
  const result = await runVerify(await setUp.verifySpec(backup, more), io);
  return { result, io };
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

  it("is not kept from its checks by event triggers, and is unverifiable where an index's own code stops them", async () => {
    await server.createDatabase("guarded");
    const client = await server.client("guarded");
    // The source is left in peace: only a sandbox has such a name.
    await client.query(`
      CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2);
      CREATE FUNCTION guard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('cluster_name') LIKE 'holdfast-%' AND current_query() ~ 'amcheck' THEN RAISE 'no DDL here';
        END IF; END $$;
      CREATE EVENT TRIGGER guard ON ddl_command_start EXECUTE FUNCTION guard();
      ALTER EVENT TRIGGER guard ENABLE ALWAYS`);
    const guarded = await verify(await setUp.dump(server.access("guarded"), destination));
    expect(guarded.result).toMatchObject({ verdict: "proven", level: "restored" });
    await client.query(`
      CREATE FUNCTION ordered(a int, b int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        IF current_query() ~ 'bt_index_check' THEN RAISE 'not today'; END IF; RETURN btint4cmp(a, b); END $$;
      CREATE OPERATOR CLASS ordered_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
        OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 ordered(int, int)`);
    await client.query("CREATE INDEX by_order ON t (id ordered_ops)");
    await client.end();
    const { result } = await verify(await setUp.dump(server.access("guarded"), destination));
    expect(result).toMatchObject({
      verdict: "unverifiable",
      level: "readable",
      reason: "Not all of it could be checked here: index structure: public.by_order: not today.",
    });
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
