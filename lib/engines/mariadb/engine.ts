import type { Engine } from "../engine.ts";
import { checkRestored } from "./check-restored.ts";
import { parseConnection, parseUrl } from "./connection.ts";
import { beginDump } from "./dump.ts";
import { fingerprintRestored } from "./fingerprint.ts";
import type { Flavour } from "./flavour.ts";
import { MARIADB, MYSQL } from "./flavour.ts";
import { assertFree, createDatabase, dropDatabase, renameDatabase } from "./manage-databases.ts";
import { watched } from "./movement.ts";
import { preflight } from "./preflight.ts";
import { identify, probe } from "./probe.ts";
import { readThrough } from "./read-through.ts";
import { restore } from "./restore.ts";
import { restoreCommands } from "./restore-commands.ts";
import { startSandbox } from "./sandbox.ts";
import { endSessions } from "./sessions.ts";
import { planSwap, settleSwap, swapDatabase } from "./swap-databases.ts";

function engineOf(flavour: Flavour): Engine {
  return {
    kind: flavour.kind,
    label: flavour.label,
    capabilities: { globals: true, parallelRestore: false, sessions: true, confirmFirst: true },
    dumpExtension: "sql",
    parseUrl: (url) => parseUrl(flavour, url),
    parseConnection: (connection) => ({ ...parseConnection(flavour, connection) }),
    probe: (access, signal) => probe(flavour, access, signal),
    identify: (access, signal) => identify(flavour, access, signal),
    preflight: (access, signal) => preflight(flavour, access, signal),
    async beginDump(access, options, work) {
      const session = await beginDump(flavour, access, options, work);
      return { ...session, fingerprint: () => watched(flavour, access, work, false, session.fingerprint) };
    },
    readThrough: (dump, work) => readThrough(dump, work),
    startSandbox: (request, work) => startSandbox(flavour, request, work),
    restore: (target, open, options, work) =>
      watched(flavour, target, work, true, () => restore(flavour, target, open, options, work)),
    fingerprint: (target, like, work) =>
      watched(flavour, target, work, true, () => fingerprintRestored(flavour, target, like, work)),
    checkRestored: (target, work) =>
      watched(flavour, target, work, true, () => checkRestored(flavour, target, work)),
    createDatabase: (on, name, like, work) => createDatabase(flavour, on, name, like, work),
    dropDatabase: (on, name, work) => dropDatabase(flavour, on, name, work),
    assertFree: (on, name, work) => assertFree(flavour, on, name, work),
    renameDatabase: (on, from, to, work) => renameDatabase(flavour, on, from, to, work),
    planSwap: (on, from, to, _endSessions, work) => planSwap(flavour, on, from, to, work),
    swapDatabase: (on, swap, endSessions, work) => swapDatabase(flavour, on, swap, endSessions, work),
    settleSwap: (on, swap, work) => settleSwap(flavour, on, swap, work),
    restoreCommands: (files, info) => restoreCommands(flavour, files, info),
    endSessions: (access, applicationName) => endSessions(flavour, access, applicationName),
  };
}

export const mariadbEngine: Engine = engineOf(MARIADB);
export const mysqlEngine: Engine = engineOf(MYSQL);
