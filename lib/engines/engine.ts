import type { Readable } from "node:stream";
import type { Fingerprint, ProofCheck } from "../proof/schema.ts";

/** How to reach one database, password included; lives in memory only. */
export interface Access {
  /** Validated by the engine's own connection schema. */
  connection: Record<string, unknown>;
  password?: string | undefined;
}

/** What preflight found; `sql` is for the user to run. Same shape as lib/databases/schema findingSchema. */
export interface EngineFinding {
  id: string;
  title: string;
  state: "ok" | "warning" | "problem" | "unknown";
  detail: string;
  why: string;
  sql?: string;
}

export interface ServerInfo {
  /** Identity of the server itself: the same through every address it has. */
  identity: string;
  /** Name of the database there (for SQLite the real path). */
  databaseName: string;
  version: string;
  /** 15 for PostgreSQL 15.18. */
  major: number;
  sizeBytes: number | null;
  encoding: string | null;
  collation: string | null;
  latencyMs: number;
}

export type EngineLog = (line: string, level?: "info" | "warn" | "error") => void;

/** Progress inside one engine call, in the unit that it says. */
export type EngineProgress = (progress: {
  label: string;
  done: number;
  total: number | null;
  unit: "bytes" | "rows" | "tables" | "objects";
}) => void;

/** Whether work that has nothing to count gets on, seen from the side; `why` says what it waits for. */
export type EngineSign = { moving: true } | { moving: false; why: string };

export interface WorkContext {
  signal: AbortSignal;
  log: EngineLog;
  progress: EngineProgress;
  /** Told every few seconds during long statements, for those who end what no longer moves. */
  sign?(sign: EngineSign): void;
  /** Private folder for passfiles and spools, 0700, removed by the caller. */
  tempDir: string;
  /** "holdfast:<operation id>#<attempt>": visible in the server's session list. */
  applicationName: string;
}

export interface DumpOptions {
  /** Longest wait for a table lock, in milliseconds. */
  lockWaitMs: number;
  /** Budget for content digests, in milliseconds; tables beyond it are compared by count. 0 counts only. */
  digestBudgetMs: number;
}

/** One stream of a dump: plain bytes, before compression. `done` settles after the program has ended. */
export interface DumpArtefact {
  name: "dump" | "globals";
  /** "dump.pgdump": the stored file adds .zst and .age. */
  file: string;
  /** Starts the program. Destroying the stream ends it. */
  open(): { stream: Readable; done: Promise<void> };
}

/** An open snapshot: artefacts and fingerprint see the same moment. Close it always. */
export interface DumpSession {
  info: ServerInfo;
  /** Program name → version. */
  tools: Record<string, string>;
  artefacts: DumpArtefact[];
  /** Runs beside the dump. */
  fingerprint(): Promise<Fingerprint>;
  close(): Promise<void>;
}

/** Opens a stored artefact as plain bytes; may be called more than once. */
export type OpenArtefact = (name: "dump" | "globals") => Promise<Readable>;

export interface RestoreOptions {
  /** Parallel jobs where the engine has them. */
  jobs: number;
  /** Spool folder for a seekable copy of the dump, or null to stream with one job. */
  spoolDir: string | null;
  /** Restore owners and grants; needs the roles to exist. */
  owners: boolean;
  /** Throw `refused` rather than leave out what the dump holds as a part of the database itself. */
  whole?: boolean;
}

export interface RestoreResult {
  /** Things that could not be restored and why; empty when all was. */
  skipped: { object: string; reason: string }[];
  tools: Record<string, string>;
  seconds: number;
}

/** A running throwaway server with an empty database of the right name, encoding and collation. */
export interface Sandbox {
  access: Access;
  version: string;
  isolation: "namespaces" | "role" | "none";
  isolationDetail: string;
  /** What differs from the dumped server, each in a sentence: "collation de_DE.UTF-8 is not available here". */
  notes: string[];
  /**
   * Aborted when the sandbox ended by itself; the reason is a HoldfastError that says why (disk budget, time,
   * crash). Whoever works in it listens to this beside its own signal, to report the cause and not its effect.
   */
  ended: AbortSignal;
  /** Ends the server and removes its folder; safe to call twice. */
  stop(): Promise<void>;
}

export interface SandboxRequest {
  /** Of the dumped server. */
  serverVersion: string;
  databaseName: string;
  encoding: string | null;
  collation: string | null;
  extensions: { name: string; version: string }[];
  /** Bytes that the restored data may take, with room to spare; more ends the sandbox. */
  diskBudgetBytes: number;
  /** Folders that the sandbox must not see (data folder, destinations). */
  hidden: string[];
}

export interface EngineCapabilities {
  /** Makes a globals artefact. */
  globals: boolean;
  /** Can restore with several jobs from a spool file. */
  parallelRestore: boolean;
  /** Sessions of other clients must be ended before a restore over. */
  sessions: boolean;
  /** Its dumps are statements: on a real server only a copy that was read whole and is as stored may run. */
  confirmFirst?: boolean;
}

/** A swap that is about to be made; written down first, so that whoever tidies up can tell how far it came. */
export interface Swap {
  /** The finished database and the one that gives way to it: their names before, and what no rename changes. */
  from: { name: string; id: string };
  to: { name: string; id: string };
  /** The name that the replaced one gets. */
  oldName: string;
  /** The replaced one is open, and lets nobody in from the swap's beginning to its end. */
  closes: boolean;
}

/** How far a swap came; `kept` is the replaced database, with the commands that put it back or drop it. */
export type SettledSwap =
  | { done: false }
  | { done: true; kept: { name: string; goBack: string; drop: string } | null };

/**
 * One kind of database. Every adapter passes engine.contract.ts. Errors meant for the user are
 * HoldfastError with a remedy. Nothing here knows of backups, operations or our own database.
 */
export interface Engine {
  readonly kind: "postgres" | "sqlite" | "mariadb" | "mysql";
  /** "PostgreSQL" */
  readonly label: string;
  readonly capabilities: EngineCapabilities;
  /** Extension of the dump's plain bytes: "pgdump", "sql", "sqlite". */
  readonly dumpExtension: string;

  /** From a URL to a connection and password; throws `invalid` with fields. */
  parseUrl(url: string): Access;
  /** Validates a connection; throws `invalid` with fields under "connection.". */
  parseConnection(connection: Record<string, unknown>): Record<string, unknown>;
  /** Connects once and reads who is there. */
  probe(access: Access, signal: AbortSignal): Promise<ServerInfo>;
  /** The identity alone, as in ServerInfo; needs no more than that it can be reached. */
  identify(access: Access, signal: AbortSignal): Promise<string>;
  /** Everything missing or risky, without changing anything. */
  preflight(access: Access, signal: AbortSignal): Promise<EngineFinding[]>;

  beginDump(access: Access, options: DumpOptions, work: WorkContext): Promise<DumpSession>;
  /**
   * Reads a plain dump to its end without restoring it (pg_restore --file=/dev/null, integrity check). Throws
   * `invalid` when the dump is not whole, `unavailable` when this machine lacks the program to read it.
   * @param hidden as in SandboxRequest, for an engine that needs a sandbox even for this.
   */
  readThrough(dump: Readable, work: WorkContext, hidden: readonly string[]): Promise<void>;

  startSandbox(request: SandboxRequest, work: WorkContext): Promise<Sandbox>;
  /**
   * Into an existing, empty database (a sandbox's or one made by createDatabase). Throws `unavailable` when this
   * machine or the target lacks what the dump needs (extension, role, locale, room, right), which says nothing
   * about the dump; `invalid` when the dump is not whole; `refused` when the server rejects what is in it.
   */
  restore(
    target: Access,
    open: OpenArtefact,
    options: RestoreOptions,
    work: WorkContext,
  ): Promise<RestoreResult>;
  /** The same fingerprint, taken of a restored copy; `like` says which tables by content. */
  fingerprint(target: Access, like: Fingerprint, work: WorkContext): Promise<Fingerprint>;
  /** Index, constraint, owner and grant checks on a restored copy. */
  checkRestored(target: Access, work: WorkContext): Promise<ProofCheck[]>;

  /** Makes an empty database like the dumped one on the server of `on`; throws `conflict` if it exists. */
  createDatabase(
    on: Access,
    name: string,
    like: { encoding: string | null; collation: string | null },
    work: WorkContext,
  ): Promise<Access>;
  dropDatabase(on: Access, name: string, work: WorkContext): Promise<void>;
  /** Throws `conflict` when there is a database of this name on the server of `on`. */
  assertFree(on: Access, name: string, work: WorkContext): Promise<void>;
  /** Gives a finished database its name; throws `conflict`, and changes nothing, when that is taken. */
  renameDatabase(on: Access, from: string, to: string, work: WorkContext): Promise<Access>;
  /** What a swap of the finished database `from` into the place of `to` will do. Changes nothing. */
  planSwap(on: Access, from: string, to: string, endSessions: boolean, work: WorkContext): Promise<Swap>;
  /**
   * Puts one database in the place of the other, which is kept under its new name; nothing is lost if this fails.
   * Other programs that use either make it a `conflict`; in the one replaced they are ended if `endSessions`.
   */
  swapDatabase(on: Access, swap: Swap, endSessions: boolean, work: WorkContext): Promise<void>;
  /**
   * After a swap that may have broken off at any point, or was never begun: takes back what only its end would
   * have taken back, and says how far it came. Drops neither database. May be called again and again.
   */
  settleSwap(on: Access, swap: Swap, work: WorkContext): Promise<SettledSwap>;
  /** Literal commands that restore the artefacts with stock tools, for RESTORE.md. */
  restoreCommands(
    files: { dump: string; globals: string | null; encrypted: boolean },
    info: ServerInfo,
  ): string[];
  /** Ends what a lost worker left on the server: sessions with this application name. */
  endSessions(access: Access, applicationName: string): Promise<number>;
}
