import type { Engine } from "../engine.ts";
import { checkRestored } from "./check-restored.ts";
import { parseConnection, parseUrl } from "./connection.ts";
import { beginDump } from "./dump.ts";
import { fingerprintRestored } from "./fingerprint.ts";
import {
  assertFree,
  createDatabase,
  dropDatabase,
  renameDatabase,
  swapDatabase,
} from "./manage-databases.ts";
import { preflight } from "./preflight.ts";
import { probe } from "./probe.ts";
import { readThrough } from "./read-through.ts";
import { restore } from "./restore.ts";
import { restoreCommands } from "./restore-commands.ts";
import { startPostgresSandbox } from "./sandbox.ts";
import { endSessions } from "./sessions.ts";

/** PostgreSQL 13 to 18, through its own client programs. */
export const postgresEngine: Engine = {
  kind: "postgres",
  label: "PostgreSQL",
  capabilities: { globals: true, parallelRestore: true, sessions: true },
  dumpExtension: "pgdump",
  parseUrl,
  parseConnection: (connection) => ({ ...parseConnection(connection) }),
  probe: async (access, signal) => await probe(access, signal),
  preflight,
  beginDump,
  readThrough,
  startSandbox: async (request, work) => await startPostgresSandbox(request, work),
  restore,
  fingerprint: fingerprintRestored,
  checkRestored,
  createDatabase,
  dropDatabase,
  assertFree,
  renameDatabase,
  swapDatabase,
  restoreCommands,
  endSessions,
};
