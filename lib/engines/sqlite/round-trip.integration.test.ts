import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../process/run-command.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import { sandboxRoot } from "../../sandbox/sandbox-folder.ts";
import { sqliteEngine } from "./engine.ts";
import {
  noTables,
  OPTIONS,
  REQUEST,
  SHAPES,
  type SqliteFolder,
  sqliteFolder,
} from "./testing/sqlite-files.ts";

let here: SqliteFolder;
beforeEach(async () => {
  here = await sqliteFolder();
});
afterEach(() => here.remove());

describe("dump, restore and fingerprint", () => {
  it("are equal for every shape, by content", async () => {
    here.write(SHAPES);
    const { bytes, fingerprint } = await here.dump();
    const sandbox = await sqliteEngine.startSandbox(REQUEST, here.work);
    await here.restoreInto(sandbox.access, bytes);
    const restored = await sqliteEngine.fingerprint(sandbox.access, fingerprint, here.work);
    const compared = compareFingerprints(fingerprint, restored);
    expect(compared.equal).toBe(true);
    expect(compared.byCount).toBe(false);
    const notCompared = compared.tables.filter((table) => table.equal === null).map((table) => table.name);
    expect(notCompared).toEqual(["boxes", "found"]);
    const odd = compared.tables.find((table) => table.name.startsWith('"odd'));
    expect(odd).toMatchObject({ name: '"odd ""name"""', rows: 8, restoredRows: 8, compared: "content" });
    expect(fingerprint.sequences).toEqual([{ name: '"odd ""name"""', value: "8" }]);
    expect(fingerprint.tables.find((table) => table.name === "found_content")?.rows).toBe(2);
    const checks = await sqliteEngine.checkRestored(sandbox.access, here.work);
    expect(checks.map((check) => check.state)).toEqual(["passed", "passed"]);
    await sandbox.stop();
    expect(await readdir(sandboxRoot(here.tempRoot))).toEqual([]);
  });

  it.each([
    ["NULL and empty text", "UPDATE t SET a = ''", "UPDATE t SET a = NULL"],
    ["text and blob", "UPDATE t SET a = 'x'", "UPDATE t SET a = CAST('x' AS BLOB)"],
    ["integer and real", "UPDATE t SET a = 1", "UPDATE t SET a = 1.0"],
    ["integer and text", "UPDATE t SET a = 1", "UPDATE t SET a = '1'"],
    ["neighbours beyond 2^53", "UPDATE t SET a = 9007199254740992", "UPDATE t SET a = 9007199254740993"],
    ["infinity and its negative", "UPDATE t SET a = 9e999", "UPDATE t SET a = -9e999"],
    ["zero and minus zero", "UPDATE t SET a = 0.0", "UPDATE t SET a = -0.0"],
    ["two ill-formed texts", "UPDATE t SET a = CAST(x'ff' AS TEXT)", "UPDATE t SET a = CAST(x'fe' AS TEXT)"],
    ["text before and after a zero byte", "UPDATE t SET a = 'a' || char(0)", "UPDATE t SET a = 'a'"],
    ["values that moved between columns", "UPDATE t SET a = 'ab', b = 'c'", "UPDATE t SET a = 'a', b = 'bc'"],
    ["a duplicate row", "INSERT INTO t VALUES (1, 1), (1, 1)", "INSERT INTO t VALUES (1, 1), (2, 2)"],
  ])("tell %s apart", async (_what, one, other) => {
    const digests: (string | null | undefined)[] = [];
    for (const sql of [one, other]) {
      const at = path.join(here.folder, `${digests.length}.sqlite`);
      here.write(`CREATE TABLE t (a, b); INSERT INTO t VALUES (0, 0); ${sql}`, at);
      const found = await sqliteEngine.fingerprint({ connection: { file: at } }, noTables(), here.work);
      digests.push(found.tables[0]?.digest);
    }
    expect(digests[0]).toMatch(/^\d+$/);
    expect(digests[0]).not.toBe(digests[1]);
  });

  it("do not depend on the order of rows, of columns or of pages", async () => {
    const other = path.join(here.folder, "other.sqlite");
    here.write("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y')");
    here.write(
      "PRAGMA page_size = 512; CREATE TABLE t (b, a); INSERT INTO t VALUES ('y', 2), ('y', 2), ('x', 1)",
      other,
    );
    const [one, two] = await Promise.all(
      [here.file, other].map((at) =>
        sqliteEngine.fingerprint({ connection: { file: at } }, noTables(), here.work),
      ),
    );
    expect(one?.tables[0]?.digest).toBe(two?.tables[0]?.digest);
    expect(one?.schema.digest).not.toBe(two?.schema.digest);
  });

  it("count, and say so, where content is off or the list asks for it", async () => {
    here.write("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    const { fingerprint } = await here.dump({ ...OPTIONS, digestBudgetMs: 0 });
    expect(fingerprint.tables).toEqual([
      { name: "t", kind: "table", rows: 2, digest: null, compared: "count", note: "content digests are off" },
    ]);
    const again = await sqliteEngine.fingerprint(here.access, fingerprint, here.work);
    expect(again.tables[0]).toMatchObject({ compared: "count", digest: null });
  });

  it("hold one moment of a database that is being written, and disturb nobody", async () => {
    here.write("PRAGMA journal_mode = WAL; CREATE TABLE a (x); CREATE TABLE b (x)");
    const writer = spawn(process.execPath, ["-e", WRITER, here.file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(writer.stdout, "data");
    try {
      for (let round = 0; round < 3; round++) {
        const { fingerprint } = await here.dump();
        const [a, b] = fingerprint.tables;
        expect(a?.rows).toBeGreaterThan(0);
        // The writer adds to both in one transaction, the same values.
        expect(a?.digest).toBe(b?.digest);
      }
      expect(writer.exitCode).toBeNull();
    } finally {
      const gone = once(writer, "exit");
      writer.kill("SIGKILL");
      await gone;
    }
  });

  it("leave no file beside a database at rest in WAL mode", async () => {
    here.write("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    const before = await readFile(here.file);
    await sqliteEngine.probe(here.access, here.work.signal);
    await sqliteEngine.preflight(here.access, here.work.signal);
    const { bytes } = await here.dump();
    expect(await readdir(here.folder)).toEqual(["kiosk.sqlite"]);
    expect((await readFile(here.file)).equals(before)).toBe(true);
    expect(await readdir(here.work.tempDir)).toEqual([]);
    await here.restoreInto({ connection: { file: path.join(here.folder, "again.sqlite") } }, bytes);
    expect(await readdir(here.folder)).toEqual(["again.sqlite", "kiosk.sqlite"]);
  });

  it("work for an empty file and for a link to the file", async () => {
    await writeFile(here.file, "");
    const { bytes, fingerprint } = await here.dump();
    expect(fingerprint.tables).toEqual([]);
    await here.restoreInto({ connection: { file: path.join(here.folder, "new.sqlite") } }, bytes);
    const link = path.join(here.folder, "link.sqlite");
    await symlink(here.file, link);
    const [direct, linked] = await Promise.all(
      [here.file, link].map((at) => sqliteEngine.probe({ connection: { file: at } }, here.work.signal)),
    );
    expect(linked?.identity).toBe(direct?.identity);
    expect(linked?.databaseName).toBe(here.file);
  });
});

describe("the literal restore commands", () => {
  it("work as written, with zstd alone", async () => {
    here.write(SHAPES);
    const { bytes } = await here.dump();
    const { tempDir } = here.work;
    const stored = path.join(tempDir, "dump.sqlite.zst");
    await writeFile(path.join(tempDir, "plain"), bytes);
    await runCommand({ program: "zstd", args: ["-q", path.join(tempDir, "plain"), "-o", stored], tempDir });
    const info = await sqliteEngine.probe(here.access, here.work.signal);
    const files = { dump: "dump.sqlite.zst", globals: null, encrypted: false };
    const [unpack = "", check = ""] = sqliteEngine.restoreCommands(files, info);
    expect(check).toBe("sqlite3 restored-kiosk.sqlite 'PRAGMA integrity_check'");
    await runCommand({ program: "sh", args: ["-c", unpack], tempDir });
    expect((await readFile(path.join(tempDir, "restored-kiosk.sqlite"))).equals(bytes)).toBe(true);
    const encrypted = sqliteEngine.restoreCommands(
      { ...files, dump: "dump.sqlite.zst.age", encrypted: true },
      info,
    );
    expect(encrypted[0]).toBe("age -d -i identity.txt dump.sqlite.zst.age | zstd -d > restored-kiosk.sqlite");
  });
});

const WRITER = `const { DatabaseSync } = require("node:sqlite"); const db = new DatabaseSync(process.argv[1], { timeout: 5000 });
  let i = 0; setInterval(() => { for (let n = 0; n < 20; n++) { i++; db.exec("BEGIN; INSERT INTO a VALUES (" + i + "); INSERT INTO b VALUES (" + i + "); COMMIT"); }
  if (i === 20) console.log("writing"); }, 1);`;
