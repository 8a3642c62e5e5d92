import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Access } from "../engine.ts";
import { companionsOf } from "./companions.ts";
import { sqliteEngine } from "./engine.ts";
import { OPTIONS, type SqliteFolder, sqliteFolder } from "./testing/sqlite-files.ts";

const SUFFIXES = ["-wal", "-journal", "-shm"];
const LIKE = { encoding: null, collation: null };

let here: SqliteFolder;
/** A database without an ending, so that "kiosk-wal" is the name of a file that anybody might have. */
let kiosk: string;
let access: Access;
beforeEach(async () => {
  here = await sqliteFolder();
  kiosk = path.join(here.folder, "kiosk");
  access = { connection: { file: kiosk } };
});
afterEach(() => here.remove());

/** Somebody's own database under that name, made where SQLite does not take it for anything else. */
async function stranger(name: string): Promise<Buffer> {
  const made = path.join(here.tempRoot, "stranger");
  here.write("CREATE TABLE theirs (a); INSERT INTO theirs VALUES ('their only copy')", made);
  await rename(made, path.join(here.folder, name));
  return await readFile(path.join(here.folder, name));
}

const bytesOf = (name: string) => readFile(path.join(here.folder, name));

describe.each([
  ["rollback", ""],
  ["WAL", "PRAGMA journal_mode = WAL;"],
])("beside a database in %s mode", (_mode, pragma) => {
  it.each(SUFFIXES)(
    "a file of somebody's that merely is called kiosk%s is read past and stays",
    async (suffix) => {
      here.write(`${pragma} CREATE TABLE t (a); INSERT INTO t VALUES ('ours')`, kiosk);
      const theirs = await stranger(`kiosk${suffix}`);
      const before = await readFile(kiosk);

      await sqliteEngine.probe(access, here.work.signal);
      const findings = await sqliteEngine.preflight(access, here.work.signal);
      expect(findings.filter((finding) => finding.state === "problem")).toEqual([]);
      expect(findings.find((finding) => finding.id === "beside")).toMatchObject({
        state: "warning",
        detail: expect.stringContaining(`kiosk${suffix}`),
      });
      const { fingerprint } = await here.dump(OPTIONS, access);
      expect(fingerprint.tables).toMatchObject([{ name: "t", rows: 1 }]);

      await sqliteEngine.createDatabase(access, "fresh", LIKE, here.work);
      const swap = await sqliteEngine.planSwap(access, "fresh", "kiosk", false, here.work);
      const swapped = sqliteEngine.swapDatabase(access, swap, false, here.work);
      await expect(swapped).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining(`kiosk${suffix}, which SQLite would take for its own`),
      });
      await sqliteEngine.dropDatabase(access, "fresh", here.work);
      expect((await readdir(here.folder)).sort()).toEqual(["kiosk", `kiosk${suffix}`]);
      expect((await bytesOf(`kiosk${suffix}`)).equals(theirs)).toBe(true);
      expect((await readFile(kiosk)).equals(before)).toBe(true);

      await sqliteEngine.dropDatabase(access, "kiosk", here.work);
      expect(await readdir(here.folder)).toEqual([`kiosk${suffix}`]);
      expect((await bytesOf(`kiosk${suffix}`)).equals(theirs)).toBe(true);
    },
  );
});

it("an empty file beside which such a file lies is read without a trace", async () => {
  await writeFile(kiosk, "");
  const theirs = await stranger("kiosk-wal");
  await sqliteEngine.probe(access, here.work.signal);
  const { fingerprint } = await here.dump(OPTIONS, access);
  expect(fingerprint.tables).toEqual([]);
  expect((await bytesOf("kiosk-wal")).equals(theirs)).toBe(true);
});

it("a database is not read past what is its own: with a stranger beside it, that is a conflict", async () => {
  here.write("PRAGMA journal_mode = WAL; CREATE TABLE t (a)", kiosk);
  const script = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]);
    db.exec("PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES ('in the wal')"); process.kill(process.pid, "SIGKILL");`;
  await once(spawn(process.execPath, ["-e", script, kiosk], { stdio: "ignore" }), "exit");
  expect(companionsOf(kiosk)).toEqual({ own: [`${kiosk}-wal`, `${kiosk}-shm`], strangers: [] });
  const { fingerprint } = await here.dump(OPTIONS, access);
  expect(fingerprint.tables).toMatchObject([{ name: "t", rows: 1 }]);
  await stranger("kiosk-journal");
  await expect(here.dump(OPTIONS, access)).rejects.toMatchObject({ code: "conflict" });
});

it("a journal that a killed program left is known as SQLite's own, and so is an emptied or blanked one", async () => {
  here.write("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))", kiosk);
  const script = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1]);
    db.exec("PRAGMA cache_size = 1; BEGIN; UPDATE t SET a = randomblob(100000); INSERT INTO t SELECT randomblob(100000) FROM t");
    process.kill(process.pid, "SIGKILL");`;
  await once(spawn(process.execPath, ["-e", script, kiosk], { stdio: "ignore" }), "exit");
  expect(companionsOf(kiosk).own).toEqual([`${kiosk}-journal`]);
  await rm(`${kiosk}-journal`);
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(512)]) {
    await writeFile(`${kiosk}-journal`, bytes);
    expect(companionsOf(kiosk)).toEqual({ own: [`${kiosk}-journal`], strangers: [] });
  }
  await writeFile(`${kiosk}-journal`, "notes");
  expect(companionsOf(kiosk).strangers).toEqual([`${kiosk}-journal`]);
});

describe("a database that is itself called so", () => {
  it("is one like any other", async () => {
    const wal = { connection: { file: `${kiosk}-wal` } };
    here.write("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)", `${kiosk}-wal`);
    const { bytes, fingerprint } = await here.dump(OPTIONS, wal);
    expect(fingerprint.tables).toMatchObject([{ name: "t", rows: 1 }]);
    const fresh = await sqliteEngine.createDatabase(wal, "fresh", LIKE, here.work);
    await here.restoreInto(fresh, bytes);
    const swap = await sqliteEngine.planSwap(wal, "fresh", "kiosk-wal", false, here.work);
    await sqliteEngine.swapDatabase(wal, swap, false, here.work);
    await sqliteEngine.dropDatabase(wal, swap.oldName, here.work);
    expect(await readdir(here.folder)).toEqual(["kiosk-wal"]);
    const database = new DatabaseSync(`${kiosk}-wal`, { readOnly: true });
    expect(database.prepare("SELECT count(*) AS n FROM t").get()).toEqual({ n: 1 });
    database.close();
  });

  it("makes no room for the database that SQLite would take it for a part of", async () => {
    const theirs = await stranger("kiosk-wal");
    const wal = { connection: { file: `${kiosk}-wal` } };
    const taken = { code: "conflict", message: expect.stringContaining("kiosk-wal") };
    await expect(sqliteEngine.assertFree(wal, "kiosk", here.work)).rejects.toMatchObject(taken);
    await expect(sqliteEngine.createDatabase(wal, "kiosk", LIKE, here.work)).rejects.toMatchObject(taken);
    here.write("CREATE TABLE t (a)", path.join(here.folder, "fresh"));
    await expect(sqliteEngine.renameDatabase(wal, "fresh", "kiosk", here.work)).rejects.toMatchObject(taken);
    expect((await readdir(here.folder)).sort()).toEqual(["fresh", "kiosk-wal"]);
    expect((await bytesOf("kiosk-wal")).equals(theirs)).toBe(true);
  });

  it.each(SUFFIXES)("is never made: copy%s", async (suffix) => {
    here.write("CREATE TABLE t (a)", kiosk);
    const refused = { code: "invalid", fields: { name: expect.stringContaining(suffix) } };
    await expect(sqliteEngine.assertFree(access, `copy${suffix}`, here.work)).rejects.toMatchObject(refused);
    await expect(sqliteEngine.createDatabase(access, `copy${suffix}`, LIKE, here.work)).rejects.toMatchObject(
      refused,
    );
    expect(await readdir(here.folder)).toEqual(["kiosk"]);
  });
});
