import type { Engine } from "../engine.ts";
import { fileOf, parseSqliteConnection, parseSqliteUrl } from "./connection.ts";
import { beginSqliteDump } from "./dump.ts";
import {
  assertSqliteFileFree,
  createSqliteFile,
  dropSqliteFile,
  renameSqliteFile,
  swapSqliteFiles,
} from "./files.ts";
import { fingerprintFile } from "./fingerprint.ts";
import { checkRestoredSqlite, readThroughSqlite } from "./integrity.ts";
import { preflightSqlite } from "./preflight.ts";
import { probeSqlite } from "./probe.ts";
import { restoreSqlite } from "./restore.ts";
import { sqliteRestoreCommands } from "./restore-commands.ts";
import { startSqliteSandbox } from "./sandbox.ts";

/** SQLite files on the worker's machine, through the SQLite that comes with Node. */
export const sqliteEngine: Engine = {
  kind: "sqlite",
  label: "SQLite",
  capabilities: { globals: false, parallelRestore: false, sessions: false },
  dumpExtension: "sqlite",
  parseUrl: parseSqliteUrl,
  parseConnection: parseSqliteConnection,
  probe: probeSqlite,
  preflight: preflightSqlite,
  beginDump: beginSqliteDump,
  readThrough: readThroughSqlite,
  startSandbox: startSqliteSandbox,
  restore: restoreSqlite,
  fingerprint: (target, like, work) =>
    fingerprintFile(fileOf(target), { digestBudgetMs: Number.POSITIVE_INFINITY, like }, work),
  checkRestored: checkRestoredSqlite,
  createDatabase: (on, name) => createSqliteFile(on, name),
  dropDatabase: (on, name) => dropSqliteFile(on, name),
  assertFree: (on, name) => assertSqliteFileFree(on, name),
  renameDatabase: (on, from, to) => renameSqliteFile(on, from, to),
  swapDatabase: (on, from, to, _endSessions, work) => swapSqliteFiles(on, from, to, work),
  restoreCommands: sqliteRestoreCommands,
  // A file has no server, and so no sessions.
  endSessions: async () => 0,
};
