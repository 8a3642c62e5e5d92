import { chmod, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Fingerprint } from "../../../proof/schema.ts";
import { findProcesses } from "../../../sandbox/testing/find-processes.ts";
import { testWork } from "../../../sandbox/testing/work-context.ts";
import type { Access, DumpOptions, SandboxRequest } from "../../engine.ts";
import { sqliteEngine } from "../engine.ts";

export const OPTIONS: DumpOptions = { lockWaitMs: 300, digestBudgetMs: 60_000 };
const RESTORE = { jobs: 1, spoolDir: null, owners: false };

/** A folder of its own with a path for a database, and all that is done to one. */
export async function sqliteFolder() {
  const context = await testWork();
  const folder = path.join(context.tempRoot, "srv");
  await mkdir(folder);
  await chmod(folder, 0o755);
  const file = path.join(folder, "kiosk.sqlite");
  const access: Access = { connection: { file } };
  return {
    ...context,
    folder,
    file,
    access,
    at: (name: string): Access => ({ connection: { file: path.join(folder, name) } }),
    write(sql: string, at: string = file, defensive = true): void {
      const database = new DatabaseSync(at, { defensive });
      try {
        database.exec(sql);
      } finally {
        database.close();
      }
    },
    async dump(options = OPTIONS, of = access): Promise<{ bytes: Buffer; fingerprint: Fingerprint }> {
      const session = await sqliteEngine.beginDump(of, options, context.work);
      try {
        const { stream, done } = session.artefacts[0]?.open() ?? {};
        if (!stream) throw new Error("no artefact");
        const bytes = await buffer(stream);
        await done;
        return { bytes, fingerprint: await session.fingerprint() };
      } finally {
        await session.close();
      }
    },
    restoreInto: (target: Access, bytes: Buffer) =>
      sqliteEngine.restore(target, async () => Readable.from([bytes]), RESTORE, context.work),
  };
}
export type SqliteFolder = Awaited<ReturnType<typeof sqliteFolder>>;

/** Every value and every kind of table that SQLite has. */
export const SHAPES = `
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

/** As if nothing were known: every table is compared by content. */
export function noTables(): Fingerprint {
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

export const REQUEST: SandboxRequest = {
  serverVersion: "3",
  databaseName: "kiosk",
  encoding: "UTF-8",
  collation: null,
  extensions: [],
  diskBudgetBytes: 1e9,
  hidden: [],
};

/** A database whose integrity check takes days: an index over an expression that was cheap when it was made. */
export function makeTimeBomb(file: string): void {
  const database = new DatabaseSync(file);
  database.function("hex", { deterministic: true, varargs: true }, () => "");
  database.exec(`CREATE TABLE t (a);
    CREATE INDEX slow ON t (instr(hex(zeroblob(10000000)), hex(zeroblob(1000000)) || a)); INSERT INTO t VALUES ('1')`);
  database.close();
}

/** The program in a sandbox, by number on this host; the sandbox's own helpers are others. */
export async function programIn(sandbox: { access: Access }): Promise<number> {
  const name = `holdfast-${sandbox.access.connection.sandbox}`;
  for (const pid of await findProcesses(name)) {
    const [program = ""] = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    if (path.basename(program) === "node") return pid;
  }
  throw new Error(`no program runs in ${name}`);
}
