import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Access } from "../engines/engine.ts";
import { engineFor } from "../engines/registry.ts";
import { startTestPostgres, type TestPostgres } from "../testing/postgres.ts";
import { runRestore } from "./restore.ts";
import { temporaryName } from "./restore-names.ts";
import type { DestinationSpec } from "./schema.ts";
import { makeShop } from "./testing/make-shop.ts";
import { recordingIo } from "./testing/recording-io.ts";
import {
  filesBelow,
  flipBit,
  type StoredBackup,
  setUpTransfers,
  type TransferSetUp,
} from "./testing/transfer-setup.ts";

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
    const altered = await setUp.damaged(stored, async (folder) => {
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

  describe("by an ordinary user", () => {
    let plain: (database: string) => Access;
    let watched: StoredBackup;
    beforeAll(async () => {
      await server.createDatabase("watched");
      const client = await server.client("watched");
      await client.query(`
        CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (1), (2);
        CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION note();
        CREATE PUBLICATION everything FOR ALL TABLES;
        CREATE ROLE plain LOGIN CREATEDB PASSWORD 'plain-Password-1'`);
      await client.end();
      watched = await setUp.dump(server.access("watched"), destination);
      plain = (database) => ({
        connection: { ...server.access(database).connection, user: "plain" },
        password: "plain-Password-1",
      });
      const admin = await server.client();
      await admin.query("CREATE DATABASE plain_live OWNER plain");
      await admin.end();
    });

    it("replaces nothing when it had to leave out what the backup holds, and says what and why", async () => {
      const client = await server.client("plain_live");
      await client.query("CREATE TABLE mine (id int)");
      await client.end();
      const before = await databases();
      const spec = await setUp.restoreSpec(watched, {
        on: plain("plain_live"),
        target: { kind: "over", name: "plain_live", endSessions: true },
      });
      await expect(runRestore(spec, recordingIo())).rejects.toMatchObject({
        code: "refused",
        message:
          "plain_live was left as it is. The user plain can't restore all that the backup holds: without " +
          "PUBLICATION everything (only a superuser can restore it), EVENT TRIGGER watch (only a superuser can " +
          "restore it) it would not be the same database.",
        remedy: expect.stringContaining("Connect to the database as a superuser"),
      });
      expect(await databases()).toEqual(before);
      const after = await server.client("plain_live");
      expect((await after.query("SELECT count(*)::int AS n FROM mine")).rows).toEqual([{ n: 0 }]);
      await after.end();
    });

    it("refuses a setting of the database that it may not make, too", async () => {
      const client = await server.client("watched");
      await client.query(
        "DROP EVENT TRIGGER watch; DROP PUBLICATION everything; ALTER DATABASE watched SET log_statement = 'ddl'",
      );
      await client.end();
      const before = await databases();
      const spec = await setUp.restoreSpec(await setUp.dump(server.access("watched"), destination), {
        on: plain("plain_live"),
        target: { kind: "over", name: "plain_live", endSessions: true },
      });
      await expect(runRestore(spec, recordingIo())).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(/ALTER DATABASE .* SET log_statement .*permission denied/),
      });
      expect(await databases()).toEqual(before);
    });

    it("makes a new database without it, and says so", async () => {
      const spec = await setUp.restoreSpec(watched, {
        on: plain("plain_live"),
        target: { kind: "new", name: "plain_new" },
      });
      const { reason, skipped } = await runRestore(spec, recordingIo());
      expect(skipped.map(({ object }) => object)).toEqual([
        "owners and grants",
        "PUBLICATION everything",
        "EVENT TRIGGER watch",
      ]);
      expect(reason).toContain("EVENT TRIGGER watch (only a superuser can restore it)");
    });
  });

  it("works on another server, without owners", async () => {
    const other = await startTestPostgres();
    try {
      const spec = await setUp.restoreSpec(stored, {
        on: other.access(),
        target: { kind: "new", name: "elsewhere" },
      });
      const result = await runRestore(spec, recordingIo());
      expect(result).toMatchObject({
        equal: true,
        reason: expect.stringMatching(/Not restored: owners and grants \(this is another server/),
      });
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
