import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, link, readdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqliteEngine } from "./engine.ts";
import { type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

let here: SqliteFolder;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(() => here.remove());

describe("files in the place of databases", () => {
  const names = async () => (await readdir(here.folder)).sort();

  it("are made once, beside the other, and dropped with what lies next to them", async () => {
    here.write("CREATE TABLE t (a)");
    const made = await sqliteEngine.createDatabase(
      here.access,
      "copy",
      { encoding: null, collation: null },
      here.work,
    );
    expect(made).toEqual({ connection: { file: path.join(here.folder, "copy.sqlite") } });
    await expect(
      sqliteEngine.createDatabase(here.access, "copy", { encoding: null, collation: null }, here.work),
    ).rejects.toMatchObject({ code: "conflict" });
    await writeFile(path.join(here.folder, "copy.sqlite-wal"), "");
    await sqliteEngine.dropDatabase(here.access, "copy", here.work);
    expect(await names()).toEqual(["kiosk.sqlite"]);
  });

  it.each(["../out", "a/b", "", ".hidden", "/etc/passwd"])("never leave the folder (%s)", async (name) => {
    here.write("CREATE TABLE t (a)");
    const like = { encoding: null, collation: null };
    await expect(sqliteEngine.createDatabase(here.access, name, like, here.work)).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(sqliteEngine.dropDatabase(here.access, name, here.work)).rejects.toMatchObject({
      code: "invalid",
    });
  });

  it("refuse a restore over data and beside a foreign WAL", async () => {
    here.write("CREATE TABLE t (a)");
    const { bytes } = await here.dump();
    await expect(here.restoreInto(here.access, bytes)).rejects.toMatchObject({ code: "conflict" });
    const target = path.join(here.folder, "new.sqlite");
    await writeFile(`${target}-wal`, "left over");
    await expect(here.restoreInto({ connection: { file: target } }, bytes)).rejects.toMatchObject({
      code: "conflict",
    });
    expect(existsSync(target)).toBe(false);
  });

  it("are swapped in one step, keeping mode, owner and the old file with what was in its WAL", async () => {
    here.write("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES ('old')");
    await chmod(here.file, 0o640);
    await crashWithWal(here.file);
    const made = await sqliteEngine.createDatabase(
      here.access,
      "fresh",
      { encoding: null, collation: null },
      here.work,
    );
    here.write("CREATE TABLE t (a); INSERT INTO t VALUES ('new')", String(made.connection.file));
    const { databaseName } = await sqliteEngine.probe(here.access, here.work.signal);
    const swap = await sqliteEngine.planSwap(here.access, "fresh", databaseName, false, here.work);
    const { oldName } = swap;
    await sqliteEngine.swapDatabase(here.access, swap, false, here.work);
    expect(oldName).toMatch(/^kiosk-before-\d{8}T\d{9}Z\.sqlite$/);
    expect(await names()).toEqual([oldName, "kiosk.sqlite"].sort());
    const read = (at: string) => {
      const database = new DatabaseSync(at, { readOnly: true });
      const rows = database
        .prepare("SELECT a FROM t ORDER BY rowid")
        .all()
        .map((row) => row.a);
      database.close();
      return rows;
    };
    expect(read(here.file)).toEqual(["new"]);
    expect(read(path.join(here.folder, oldName))).toEqual(["old", "in the wal"]);
    expect((await stat(here.file)).mode & 0o777).toBe(0o640);
  });

  it("lose the second name that a swap gave which broke off", async () => {
    here.write("CREATE TABLE t (a)");
    here.write("CREATE TABLE t (b)", path.join(here.folder, "fresh.sqlite"));
    const swap = await sqliteEngine.planSwap(here.access, "fresh.sqlite", "kiosk.sqlite", false, here.work);
    await link(here.file, path.join(here.folder, swap.oldName));
    for (let n = 0; n < 2; n += 1) {
      expect(await sqliteEngine.settleSwap(here.access, swap, here.work)).toEqual({ done: false });
      expect(await names()).toEqual(["fresh.sqlite", "kiosk.sqlite"]);
    }
  });

  it("are not swapped with one that is not there", async () => {
    here.write("CREATE TABLE t (a)");
    const planned = sqliteEngine.planSwap(here.access, "missing", "kiosk", false, here.work);
    await expect(planned).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/missing.sqlite does not exist/),
    });
    expect(await names()).toEqual(["kiosk.sqlite"]);
  });

  it("are not swapped while another program has one open", async () => {
    here.write("CREATE TABLE t (a)");
    here.write("CREATE TABLE t (b)", path.join(here.folder, "fresh.sqlite"));
    const reader = spawn(process.execPath, ["-e", READER, here.file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(reader.stdout, "data");
    const swap = await sqliteEngine.planSwap(here.access, "fresh.sqlite", "kiosk.sqlite", false, here.work);
    const swapped = sqliteEngine.swapDatabase(here.access, swap, false, here.work);
    await expect(swapped).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`process ${reader.pid}`),
    });
    const gone = once(reader, "exit");
    reader.kill("SIGKILL");
    await gone;
    expect(await names()).toEqual(["fresh.sqlite", "kiosk.sqlite"]);
  });
});

const READER = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]);
  db.prepare("SELECT count(*) FROM t").get(); console.log("open"); setInterval(() => db, 1000);`;

/** Leaves a row in the WAL, as a program that was killed does. */
async function crashWithWal(at: string): Promise<void> {
  const script = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]);
    db.exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES ('in the wal')"); process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, ["-e", script, at], { stdio: "ignore" });
  await once(child, "exit");
  expect((await stat(`${at}-wal`)).size).toBeGreaterThan(0);
}
