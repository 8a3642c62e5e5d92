import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestMariadb, type TestMariadb } from "../testing/mariadb.ts";
import { runRestore } from "./restore.ts";
import type { DestinationSpec } from "./schema.ts";
import { recordingIo } from "./testing/recording-io.ts";
import { flipBit, type StoredBackup, setUpTransfers, type TransferSetUp } from "./testing/transfer-setup.ts";
import { runVerify } from "./verify.ts";

let server: TestMariadb;
let setUp: TransferSetUp;
let destination: DestinationSpec & { folder: string };
let stored: StoredBackup;

beforeAll(async () => {
  server = await startTestMariadb();
  setUp = await setUpTransfers("mariadb");
  await server.createDatabase("shop");
  await server.run(
    "shop",
    "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, body TEXT)",
    "INSERT INTO orders (body) SELECT REPEAT(MD5(seq), 20) FROM seq_1_to_20000",
    "CREATE VIEW firsts AS SELECT * FROM orders WHERE id < 10",
    "CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW SET NEW.body = UPPER(NEW.body)",
  );
  destination = await setUp.addDestination("place");
  stored = await setUp.dump(server.access("shop"), destination);
});
afterAll(async () => {
  await server.stop();
  await setUp.cleanUp();
});

const databases = () =>
  server.read(undefined, "SELECT GROUP_CONCAT(SCHEMA_NAME ORDER BY 1) FROM information_schema.SCHEMATA");

describe("MariaDB through the whole path", () => {
  it("is proven by a restore", async () => {
    const result = await runVerify(await setUp.verifySpec(stored), recordingIo());
    expect(result.reason).toContain("Restored and compared");
    expect(result).toMatchObject({ level: "restored", verdict: "proven", byCount: false });
    expect(result.report.tables).toMatchObject([{ rows: 20_000, compared: "content", equal: true }]);
    expect(result.report.checks.filter((check) => check.state === "failed")).toEqual([]);
  });

  it("is restored into a new database", async () => {
    const target = { kind: "new", name: "shop_new" } as const;
    const spec = await setUp.restoreSpec(stored, { on: server.access("shop"), target });
    const result = await runRestore(spec, recordingIo());
    expect(result).toMatchObject({ equal: true, access: { connection: { database: "shop_new" } } });
    expect(await server.read("shop_new", "SELECT COUNT(*) FROM firsts")).toBe("9");
    await server.run(undefined, "DROP DATABASE shop_new");
  });

  it("is restored over an existing one, which is dropped last", async () => {
    await server.createDatabase("live");
    await server.run("live", "CREATE TABLE orders (id INT)", "CREATE VIEW firsts AS SELECT 1 AS one");
    const before = await databases();
    const target = { kind: "over", name: "live", endSessions: false } as const;
    const spec = await setUp.restoreSpec(stored, { on: server.access("live"), target });
    expect((await runRestore(spec, recordingIo())).equal).toBe(true);
    expect(await server.read("live", "SELECT COUNT(*) FROM firsts")).toBe("9");
    await server.run("live", "INSERT INTO orders (body) VALUES ('abc')");
    expect(await server.read("live", "SELECT body FROM orders ORDER BY id DESC LIMIT 1")).toBe("ABC");
    expect(await databases()).toBe(before);
  });

  it("refuses a damaged copy and leaves no database", async () => {
    const altered = await setUp.damaged(stored, (folder) =>
      flipBit(join(folder, "dump.sql.zst.age"), 20_000),
    );
    const before = await databases();
    const target = { kind: "over", name: "live", endSessions: false } as const;
    const spec = await setUp.restoreSpec(altered, { on: server.access("live"), target });
    const io = recordingIo();
    await expect(runRestore(spec, io)).rejects.toThrow(/can't be restored/);
    // Not one statement of it ran.
    expect(io.lines.join("\n")).not.toMatch(/restoring into/);
    expect(await databases()).toBe(before);
    const verdict = await runVerify(await setUp.verifySpec(altered), recordingIo());
    expect(verdict).toMatchObject({ verdict: "failed", copyState: "altered" });
  });

  it("made without any lock can't be proven, and replaces nothing", async () => {
    await server.run(
      undefined,
      "CREATE USER still@'127.0.0.1' IDENTIFIED BY 'still-Password-1'",
      "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON shop.* TO still@'127.0.0.1'",
      "GRANT SELECT ON mysql.proc TO still@'127.0.0.1'",
    );
    const access = server.access("shop");
    const still = { connection: { ...access.connection, user: "still" }, password: "still-Password-1" };
    const unshared = await setUp.dump(still, destination);
    const verdict = await runVerify(await setUp.verifySpec(unshared), recordingIo());
    expect(verdict).toMatchObject({ verdict: "unverifiable", reason: expect.stringMatching(/LOCK TABLES/) });
    const target = { kind: "over", name: "live", endSessions: false } as const;
    const spec = await setUp.restoreSpec(unshared, { on: server.access("live"), target });
    await expect(runRestore(spec, recordingIo())).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/live was left as it is\. This backup could not be compared/),
    });
  });
});
