import { open, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqliteEngine } from "./engine.ts";
import { OPTIONS, type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

let here: SqliteFolder;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(() => here.remove());

describe("faults", () => {
  it("a file that is locked, damaged, missing or something else is named as such", async () => {
    here.write(
      "CREATE TABLE t (a); INSERT INTO t SELECT zeroblob(3000) FROM (VALUES (1), (2), (3), (4), (5), (6))",
    );
    const holder = new DatabaseSync(here.file);
    holder.exec("BEGIN EXCLUSIVE");
    await expect(here.dump()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/locked by another program/),
    });
    const findings = await sqliteEngine.preflight(here.access, here.work.signal);
    expect(findings.find((finding) => finding.id === "lock")?.state).toBe("problem");
    holder.exec("ROLLBACK");
    holder.close();

    const handle = await open(here.file, "r+");
    await handle.write(Buffer.alloc(2000, 0xee), 0, 2000, 4096);
    await handle.close();
    await expect(here.dump()).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/damaged/),
    });
    const damaged = await sqliteEngine.preflight(here.access, here.work.signal);
    expect(damaged.find((finding) => finding.id === "integrity")?.state).toBe("problem");

    const probe = (at: string) => sqliteEngine.probe({ connection: { file: at } }, here.work.signal);
    await expect(probe(path.join(here.folder, "none.sqlite"))).rejects.toMatchObject({
      message: expect.stringMatching(/does not exist/),
    });
    await writeFile(path.join(here.folder, "text"), "this is no database at all");
    await expect(probe(path.join(here.folder, "text"))).rejects.toMatchObject({
      message: expect.stringMatching(/not an SQLite database/),
    });
    await expect(probe(here.folder)).rejects.toMatchObject({
      message: expect.stringMatching(/is not a file/),
    });
    expect(await readdir(here.work.tempDir)).toEqual([]);
  });

  it("a dump that was cut, lengthened or changed does not read through, and replaces nothing", async () => {
    here.write(`CREATE TABLE t (a); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO t SELECT hex(i * i) FROM n; CREATE INDEX ta ON t (a)`);
    const { bytes } = await here.dump();
    await sqliteEngine.readThrough(Readable.from([bytes]), here.work, []);
    const flipped = Buffer.from(bytes);
    flipped.fill(0xa5, flipped.length - 9000, flipped.length - 8000);
    const bad = [
      bytes.subarray(0, -1),
      bytes.subarray(0, -4096),
      Buffer.concat([bytes, bytes.subarray(0, 512)]),
      flipped,
    ];
    for (const each of bad) {
      await expect(sqliteEngine.readThrough(Readable.from([each]), here.work, [])).rejects.toThrow(
        /damaged|bytes|first/,
      );
      const target = { connection: { file: path.join(here.folder, "target.sqlite") } };
      await expect(here.restoreInto(target, each)).rejects.toThrow();
    }
    expect(await readdir(here.folder)).toEqual(["kiosk.sqlite"]);
    expect(await readdir(here.work.tempDir)).toEqual([]);
  });

  it("a cancelled dump stops and leaves nothing", async () => {
    here.write("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(30000000))");
    const cancel = new AbortController();
    const work = {
      ...here.work,
      signal: cancel.signal,
      progress: () => cancel.abort(new Error("cancelled")),
    };
    await expect(sqliteEngine.beginDump(here.access, OPTIONS, work)).rejects.toThrow("cancelled");
    expect(await readdir(here.work.tempDir)).toEqual([]);
  });

  it("a hostile schema runs nothing", async () => {
    // Written past SQLite's own checks, as an attacker does with a hex editor.
    here.write(
      "CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT load_extension('/tmp/evil.so')",
    );
    here.write(
      `PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES
      ('trigger', 'x', 't', 0, 'CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT load_extension(''/tmp/evil.so''); END')`,
      here.file,
      false,
    );
    const { bytes, fingerprint } = await here.dump();
    await sqliteEngine.readThrough(Readable.from([bytes]), here.work, []);
    expect(fingerprint.tables).toHaveLength(1);
    expect(await readdir(here.folder)).toEqual(["kiosk.sqlite"]);
  });
});
