import type { Engine } from "../engine.ts";
import { fileOf, parseSqliteConnection, parseSqliteUrl } from "./connection.ts";
import { beginSqliteDump } from "./dump.ts";
import { assertSqliteFileFree, createSqliteFile, dropSqliteFile, renameSqliteFile } from "./files.ts";
import { fingerprintFile } from "./fingerprint.ts";
import { checkRestoredSqlite } from "./integrity.ts";
import { preflightSqlite } from "./preflight.ts";
import { identifySqlite, probeSqlite } from "./probe.ts";
import { restoreSqlite } from "./restore.ts";
import { sqliteRestoreCommands } from "./restore-commands.ts";
import { readThroughSqlite, sandboxOf, startSqliteSandbox } from "./sandbox.ts";
import { planSqliteSwap, settleSqliteSwap, swapSqliteFiles } from "./swap-files.ts";

/** SQLite files on the worker's machine, through the SQLite that comes with Node. */
export const sqliteEngine: Engine = {
  kind: "sqlite",
  label: "SQLite",
  capabilities: { globals: false, parallelRestore: false, sessions: false },
  dumpExtension: "sqlite",
  parseUrl: parseSqliteUrl,
  parseConnection: parseSqliteConnection,
  probe: probeSqlite,
  identify: identifySqlite,
  preflight: preflightSqlite,
  beginDump: beginSqliteDump,
  readThrough: readThroughSqlite,
  startSandbox: (request, work) => startSqliteSandbox(request, work),
  restore: async (target, open, options, work) =>
    (await sandboxOf(target)?.restore(open, work)) ?? (await restoreSqlite(target, open, options, work)),
  fingerprint: async (target, like, work) =>
    (await sandboxOf(target)?.fingerprint(like, work)) ??
    (await fingerprintFile(fileOf(target), { digestBudgetMs: Number.POSITIVE_INFINITY, like }, work)),
  checkRestored: async (target, work) =>
    (await sandboxOf(target)?.check(work)) ?? (await checkRestoredSqlite(target, work)),
  createDatabase: (on, name) => createSqliteFile(on, name),
  dropDatabase: (on, name) => dropSqliteFile(on, name),
  assertFree: (on, name) => assertSqliteFileFree(on, name),
  renameDatabase: (on, from, to) => renameSqliteFile(on, from, to),
  planSwap: (on, from, to) => planSqliteSwap(on, from, to),
  swapDatabase: (on, swap, _endSessions, work) => swapSqliteFiles(on, swap, work),
  settleSwap: (on, swap) => settleSqliteSwap(on, swap),
  restoreCommands: sqliteRestoreCommands,
  // A file has no server, and so no sessions.
  endSessions: async () => 0,
};
