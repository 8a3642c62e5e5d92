import type { Engine } from "../engine.ts";
import { checkRestored } from "./check-restored.ts";
import { parseConnection, parseUrl } from "./connection.ts";
import { beginDump } from "./dump.ts";
import { fingerprintRestored } from "./fingerprint.ts";
import { assertFree, createDatabase, dropDatabase, renameDatabase } from "./manage-databases.ts";
import { watched } from "./movement.ts";
import { preflight } from "./preflight.ts";
import { identify, probe } from "./probe.ts";
import { readThrough } from "./read-through.ts";
import { restore } from "./restore.ts";
import { restoreCommands } from "./restore-commands.ts";
import { startPostgresSandbox } from "./sandbox.ts";
import { endSessions } from "./sessions.ts";
import { planSwap, settleSwap, swapDatabase } from "./swap-databases.ts";

/** PostgreSQL 13 to 18, through its own client programs. */
export const postgresEngine: Engine = {
  kind: "postgres",
  label: "PostgreSQL",
  capabilities: { globals: true, parallelRestore: true, sessions: true },
  dumpExtension: "pgdump",
  parseUrl,
  parseConnection: (connection) => ({ ...parseConnection(connection) }),
  probe: async (access, signal) => await probe(access, signal),
  identify,
  preflight,
  async beginDump(access, options, work) {
    const session = await beginDump(access, options, work);
    return { ...session, fingerprint: () => watched(access, work, session.fingerprint) };
  },
  readThrough,
  startSandbox: async (request, work) => await startPostgresSandbox(request, work),
  restore: (target, open, options, work) => watched(target, work, () => restore(target, open, options, work)),
  fingerprint: (target, like, work) => watched(target, work, () => fingerprintRestored(target, like, work)),
  checkRestored: (target, work) => watched(target, work, () => checkRestored(target, work)),
  createDatabase,
  dropDatabase,
  assertFree,
  renameDatabase,
  planSwap,
  swapDatabase,
  settleSwap,
  restoreCommands,
  endSessions,
};
