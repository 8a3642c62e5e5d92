import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../process/run-command.ts";
import { compareFingerprints } from "../../proof/compare.ts";
import type { Fingerprint } from "../../proof/schema.ts";
import { sandboxRoot } from "../../sandbox/sandbox-folder.ts";
import { testWork } from "../../sandbox/testing/work-context.ts";
import type { Access } from "../engine.ts";
import { sqliteEngine } from "./engine.ts";

const OPTIONS = { lockWaitMs: 300, digestBudgetMs: 60_000 };
const RESTORE = { jobs: 1, spoolDir: null, owners: false };

let context: Awaited<ReturnType<typeof testWork>>;
let folder: string;
let file: string;
let access: Access;
beforeEach(async () => {
  context = await testWork();
  folder = path.join(context.tempRoot, "srv");
  await mkdir(folder);
  file = path.join(folder, "kiosk.sqlite");
  access = { connection: { file } };
});
afterEach(() => context.remove());

function write(sql: string, at: string = file, defensive = true): void {
  const database = new DatabaseSync(at, { defensive });
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

async function dump(options = OPTIONS): Promise<{ bytes: Buffer; fingerprint: Fingerprint }> {
  const session = await sqliteEngine.beginDump(access, options, context.work);
  try {
    const { stream, done } = session.artefacts[0]?.open() ?? {};
    if (!stream) throw new Error("no artefact");
    const bytes = await buffer(stream);
    await done;
    return { bytes, fingerprint: await session.fingerprint() };
  } finally {
    await session.close();
  }
}

async function restoreInto(target: Access, bytes: Buffer): Promise<void> {
  await sqliteEngine.restore(target, async () => Readable.from([bytes]), RESTORE, context.work);
}

/** Every value and every kind of table that SQLite has. */
const SHAPES = `
  PRAGMA user_version = 7;
  CREATE TABLE "odd ""name""" (id INTEGER PRIMARY KEY AUTOINCREMENT, "a b" TEXT, r REAL, b BLOB, any);
  INSERT INTO "odd ""name""" ("a b", r, b, any) VALUES
    (NULL, NULL, NULL, NULL), ('', 0.0, x'', ''), ('NULL', -0.0, x'00', x'00'), ('ünï', 9e999, x'ff', -9e999),
    ('x', 1e-300, zeroblob(70000), 9223372036854775807), ('y', 0.1, x'01', -9223372036854775808),
    (CAST(x'ff00fe' AS TEXT), 9007199254740993, x'02', 9007199254740993), ('a' || char(0) || 'b', 1, x'03', 9e999 - 9e999);
  CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO keyed VALUES ('a', 1), ('b', 2.0);
  CREATE TABLE exact (n INTEGER, t TEXT) STRICT; INSERT INTO exact VALUES (1, 'one'), (1, 'one');
  CREATE TABLE made (a INT, b INT GENERATED ALWAYS AS (a * 2) STORED, c AS (a + 1) VIRTUAL); INSERT INTO made VALUES (3);
  CREATE TABLE empty (x); CREATE VIEW seen AS SELECT k FROM keyed; CREATE INDEX made_a ON made (a) WHERE a > 1;
  CREATE TRIGGER watched AFTER INSERT ON empty BEGIN INSERT INTO keyed VALUES (new.x, 0); END;
  CREATE VIRTUAL TABLE found USING fts5(body); INSERT INTO found VALUES ('a word'), ('another');
  CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1); INSERT INTO boxes VALUES (1, 0.5, 1.5);`;

describe("dump, restore and fingerprint", () => {
  it("are equal for every shape, by content", async () => {
    write(SHAPES);
    const { bytes, fingerprint } = await dump();
    const sandbox = await sqliteEngine.startSandbox(requestFor(file), context.work);
    await restoreInto(sandbox.access, bytes);
    const restored = await sqliteEngine.fingerprint(sandbox.access, fingerprint, context.work);
    const compared = compareFingerprints(fingerprint, restored);
    expect(compared.equal).toBe(true);
    expect(compared.byCount).toBe(false);
    const notCompared = compared.tables.filter((table) => table.equal === null).map((table) => table.name);
    expect(notCompared).toEqual(["boxes", "found"]);
    const odd = compared.tables.find((table) => table.name.startsWith('"odd'));
    expect(odd).toMatchObject({ name: '"odd ""name"""', rows: 8, restoredRows: 8, compared: "content" });
    expect(fingerprint.sequences).toEqual([{ name: '"odd ""name"""', value: "8" }]);
    expect(fingerprint.tables.find((table) => table.name === "found_content")?.rows).toBe(2);
    const checks = await sqliteEngine.checkRestored(sandbox.access, context.work);
    expect(checks.map((check) => check.state)).toEqual(["passed", "passed"]);
    await sandbox.stop();
    expect(await readdir(sandboxRoot(context.tempRoot))).toEqual([]);
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
      const at = path.join(folder, `${digests.length}.sqlite`);
      write(`CREATE TABLE t (a, b); INSERT INTO t VALUES (0, 0); ${sql}`, at);
      const found = await sqliteEngine.fingerprint({ connection: { file: at } }, noTables(), context.work);
      digests.push(found.tables[0]?.digest);
    }
    expect(digests[0]).toMatch(/^\d+$/);
    expect(digests[0]).not.toBe(digests[1]);
  });

  it("do not depend on the order of rows, of columns or of pages", async () => {
    const other = path.join(folder, "other.sqlite");
    write("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y')");
    write(
      "PRAGMA page_size = 512; CREATE TABLE t (b, a); INSERT INTO t VALUES ('y', 2), ('y', 2), ('x', 1)",
      other,
    );
    const [one, two] = await Promise.all(
      [file, other].map((at) =>
        sqliteEngine.fingerprint({ connection: { file: at } }, noTables(), context.work),
      ),
    );
    expect(one?.tables[0]?.digest).toBe(two?.tables[0]?.digest);
    expect(one?.schema.digest).not.toBe(two?.schema.digest);
  });

  it("count, and say so, where content is off or the list asks for it", async () => {
    write("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
    const { fingerprint } = await dump({ ...OPTIONS, digestBudgetMs: 0 });
    expect(fingerprint.tables).toEqual([
      { name: "t", kind: "table", rows: 2, digest: null, compared: "count", note: "content digests are off" },
    ]);
    const again = await sqliteEngine.fingerprint(access, fingerprint, context.work);
    expect(again.tables[0]).toMatchObject({ compared: "count", digest: null });
  });

  it("hold one moment of a database that is being written, and disturb nobody", async () => {
    write("PRAGMA journal_mode = WAL; CREATE TABLE a (x); CREATE TABLE b (x)");
    const writer = spawn(process.execPath, ["-e", WRITER, file], { stdio: ["ignore", "pipe", "inherit"] });
    await once(writer.stdout, "data");
    try {
      for (let round = 0; round < 3; round++) {
        const { fingerprint } = await dump();
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
    write("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    const before = await readFile(file);
    await sqliteEngine.probe(access, context.work.signal);
    await sqliteEngine.preflight(access, context.work.signal);
    const { bytes } = await dump();
    expect(await readdir(folder)).toEqual(["kiosk.sqlite"]);
    expect((await readFile(file)).equals(before)).toBe(true);
    expect(await readdir(context.work.tempDir)).toEqual([]);
    await restoreInto({ connection: { file: path.join(folder, "again.sqlite") } }, bytes);
    expect(await readdir(folder)).toEqual(["again.sqlite", "kiosk.sqlite"]);
  });

  it("work for an empty file and for a link to the file", async () => {
    await writeFile(file, "");
    const { bytes, fingerprint } = await dump();
    expect(fingerprint.tables).toEqual([]);
    await restoreInto({ connection: { file: path.join(folder, "new.sqlite") } }, bytes);
    const link = path.join(folder, "link.sqlite");
    await symlink(file, link);
    const [direct, linked] = await Promise.all(
      [file, link].map((at) => sqliteEngine.probe({ connection: { file: at } }, context.work.signal)),
    );
    expect(linked?.identity).toBe(direct?.identity);
    expect(linked?.databaseName).toBe(file);
  });
});

describe("faults", () => {
  it("a file that is locked, damaged, missing or something else is named as such", async () => {
    write(
      "CREATE TABLE t (a); INSERT INTO t SELECT zeroblob(3000) FROM (VALUES (1), (2), (3), (4), (5), (6))",
    );
    const holder = new DatabaseSync(file);
    holder.exec("BEGIN EXCLUSIVE");
    await expect(dump()).rejects.toMatchObject({ code: "unavailable", message: /locked by another program/ });
    const findings = await sqliteEngine.preflight(access, context.work.signal);
    expect(findings.find((finding) => finding.id === "lock")?.state).toBe("problem");
    holder.exec("ROLLBACK");
    holder.close();

    const handle = await open(file, "r+");
    await handle.write(Buffer.alloc(2000, 0xee), 0, 2000, 4096);
    await handle.close();
    await expect(dump()).rejects.toMatchObject({ code: "invalid", message: /damaged/ });
    const damaged = await sqliteEngine.preflight(access, context.work.signal);
    expect(damaged.find((finding) => finding.id === "integrity")?.state).toBe("problem");

    const probe = (at: string) => sqliteEngine.probe({ connection: { file: at } }, context.work.signal);
    await expect(probe(path.join(folder, "none.sqlite"))).rejects.toMatchObject({
      message: /does not exist/,
    });
    await writeFile(path.join(folder, "text"), "this is no database at all");
    await expect(probe(path.join(folder, "text"))).rejects.toMatchObject({
      message: /not an SQLite database/,
    });
    await expect(probe(folder)).rejects.toMatchObject({ message: /is not a file/ });
    expect(await readdir(context.work.tempDir)).toEqual([]);
  });

  it("a dump that was cut, lengthened or changed does not read through, and replaces nothing", async () => {
    write(`CREATE TABLE t (a); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO t SELECT hex(i * i) FROM n; CREATE INDEX ta ON t (a)`);
    const { bytes } = await dump();
    await sqliteEngine.readThrough(Readable.from([bytes]), context.work);
    const flipped = Buffer.from(bytes);
    flipped.fill(0xa5, flipped.length - 9000, flipped.length - 8000);
    const bad = [
      bytes.subarray(0, -1),
      bytes.subarray(0, -4096),
      Buffer.concat([bytes, bytes.subarray(0, 512)]),
      flipped,
    ];
    for (const each of bad) {
      await expect(sqliteEngine.readThrough(Readable.from([each]), context.work)).rejects.toThrow(
        /damaged|bytes|first/,
      );
      const target = { connection: { file: path.join(folder, "target.sqlite") } };
      await expect(restoreInto(target, each)).rejects.toThrow();
    }
    expect(await readdir(folder)).toEqual(["kiosk.sqlite"]);
    expect(await readdir(context.work.tempDir)).toEqual([]);
  });

  it("a cancelled dump stops and leaves nothing", async () => {
    write("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(30000000))");
    const cancel = new AbortController();
    const work = {
      ...context.work,
      signal: cancel.signal,
      progress: () => cancel.abort(new Error("cancelled")),
    };
    await expect(sqliteEngine.beginDump(access, OPTIONS, work)).rejects.toThrow("cancelled");
    expect(await readdir(context.work.tempDir)).toEqual([]);
  });

  it("a hostile schema runs nothing", async () => {
    // Written past SQLite's own checks, as an attacker does with a hex editor.
    write(
      "CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT load_extension('/tmp/evil.so')",
    );
    write(
      `PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES
      ('trigger', 'x', 't', 0, 'CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT load_extension(''/tmp/evil.so''); END')`,
      file,
      false,
    );
    const { bytes, fingerprint } = await dump();
    await sqliteEngine.readThrough(Readable.from([bytes]), context.work);
    expect(fingerprint.tables).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["kiosk.sqlite"]);
  });
});

describe("files in the place of databases", () => {
  const names = async () => (await readdir(folder)).sort();

  it("are made once, beside the other, and dropped with what lies next to them", async () => {
    write("CREATE TABLE t (a)");
    const made = await sqliteEngine.createDatabase(
      access,
      "copy",
      { encoding: null, collation: null },
      context.work,
    );
    expect(made).toEqual({ connection: { file: path.join(folder, "copy.sqlite") } });
    await expect(
      sqliteEngine.createDatabase(access, "copy", { encoding: null, collation: null }, context.work),
    ).rejects.toMatchObject({ code: "conflict" });
    await writeFile(path.join(folder, "copy.sqlite-wal"), "");
    await sqliteEngine.dropDatabase(access, "copy", context.work);
    expect(await names()).toEqual(["kiosk.sqlite"]);
  });

  it.each(["../out", "a/b", "", ".hidden", "/etc/passwd"])("never leave the folder (%s)", async (name) => {
    write("CREATE TABLE t (a)");
    const like = { encoding: null, collation: null };
    await expect(sqliteEngine.createDatabase(access, name, like, context.work)).rejects.toMatchObject({
      code: "invalid",
    });
    await expect(sqliteEngine.dropDatabase(access, name, context.work)).rejects.toMatchObject({
      code: "invalid",
    });
  });

  it("refuse a restore over data and beside a foreign WAL", async () => {
    write("CREATE TABLE t (a)");
    const { bytes } = await dump();
    await expect(restoreInto(access, bytes)).rejects.toMatchObject({ code: "conflict" });
    const target = path.join(folder, "new.sqlite");
    await writeFile(`${target}-wal`, "left over");
    await expect(restoreInto({ connection: { file: target } }, bytes)).rejects.toMatchObject({
      code: "conflict",
    });
    expect(existsSync(target)).toBe(false);
  });

  it("are swapped in one step, keeping mode, owner and the old file with what was in its WAL", async () => {
    write("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES ('old')");
    await chmod(file, 0o640);
    await crashWithWal(file);
    const made = await sqliteEngine.createDatabase(
      access,
      "fresh",
      { encoding: null, collation: null },
      context.work,
    );
    write("CREATE TABLE t (a); INSERT INTO t VALUES ('new')", String(made.connection.file));
    const { databaseName } = await sqliteEngine.probe(access, context.work.signal);
    const { oldName } = await sqliteEngine.swapDatabase(access, "fresh", databaseName, false, context.work);
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
    expect(read(file)).toEqual(["new"]);
    expect(read(path.join(folder, oldName))).toEqual(["old", "in the wal"]);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
  });

  it("are not swapped with one that is not there", async () => {
    write("CREATE TABLE t (a)");
    const swapped = sqliteEngine.swapDatabase(access, "missing", "kiosk", false, context.work);
    await expect(swapped).rejects.toMatchObject({
      code: "unavailable",
      message: /missing.sqlite does not exist/,
    });
    expect(await names()).toEqual(["kiosk.sqlite"]);
  });

  it("are not swapped while another program has one open", async () => {
    write("CREATE TABLE t (a)");
    write("CREATE TABLE t (b)", path.join(folder, "fresh.sqlite"));
    const reader = spawn(process.execPath, ["-e", READER, file], { stdio: ["ignore", "pipe", "inherit"] });
    await once(reader.stdout, "data");
    const swapped = sqliteEngine.swapDatabase(access, "fresh.sqlite", "kiosk.sqlite", false, context.work);
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

describe("the literal restore commands", () => {
  it("work as written, with zstd alone", async () => {
    write(SHAPES);
    const { bytes } = await dump();
    const { tempDir } = context.work;
    const stored = path.join(tempDir, "dump.sqlite.zst");
    await writeFile(path.join(tempDir, "plain"), bytes);
    await runCommand({ program: "zstd", args: ["-q", path.join(tempDir, "plain"), "-o", stored], tempDir });
    const info = await sqliteEngine.probe(access, context.work.signal);
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

function noTables(): Fingerprint {
  return {
    format: 1,
    engine: "sqlite",
    serverVersion: "3",
    takenAt: "2026-01-01T00:00:00Z",
    schema: { digest: null, method: "" },
    tables: [],
    sequences: [],
    extensions: [],
    largeObjects: null,
    notCompared: [],
  };
}

function requestFor(databaseName: string): Parameters<typeof sqliteEngine.startSandbox>[0] {
  return {
    serverVersion: "3",
    databaseName,
    encoding: "UTF-8",
    collation: null,
    extensions: [],
    diskBudgetBytes: 1e9,
    hidden: [],
  };
}
