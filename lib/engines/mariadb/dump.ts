import { HoldfastError } from "../../errors.ts";
import type { Fingerprint } from "../../proof/schema.ts";
import type { Access, DumpArtefact, DumpOptions, DumpSession, ServerInfo, WorkContext } from "../engine.ts";
import type { TableInfo } from "./catalog.ts";
import { listTables, readSequences } from "./catalog.ts";
import type { ClientOptions } from "./client-options.ts";
import { writeClientOptions } from "./client-options.ts";
import type { Session, SessionOptions } from "./connect.ts";
import { openSession, withSession } from "./connect.ts";
import { isDenied } from "./connect-errors.ts";
import { parseConnection } from "./connection.ts";
import type { DigestPlan } from "./digest-tables.ts";
import { dumpError, sourceError } from "./dump-errors.ts";
import type { FollowedStream } from "./dump-stream.ts";
import { openDump } from "./dump-stream.ts";
import { notComparable, sentences, takeFingerprint } from "./fingerprint.ts";
import type { Flavour } from "./flavour.ts";
import { openGlobals } from "./globals.ts";
import { readInfo } from "./probe.ts";
import { requireDumpableEvents, requireRights } from "./rights.ts";
import type { SchemaDigests } from "./schema-digest.ts";
import { digestSchema, schemaMethod, schemaPart } from "./schema-digest.ts";
import { endSessions } from "./sessions.ts";
import type { Stillness } from "./snapshot.ts";
import { beginSnapshot, holdStill, lockTables, pinSettings, release } from "./snapshot.ts";
import type { ClientTools } from "./tools.ts";
import { findTools } from "./tools.ts";

/** Longest wait for a dump's first output, in milliseconds. */
const BEGIN_MS = 15_000;

/** All that the parts of one dump share. */
interface Dump {
  flavour: Flavour;
  access: Access;
  options: DumpOptions;
  work: WorkContext;
  /** The caller's signal, or the session's end. */
  signal: AbortSignal;
  user: string;
  info: ServerInfo;
  tools: ClientTools;
  program: FollowedStream;
  tables: TableInfo[];
  sequences: Fingerprint["sequences"];
  /** Definitions before the snapshot: the same after the dump, or not comparable. */
  schema: SchemaDigests;
  notCompared: string[];
  still: Stillness;
  /** Tables without transactions that could not be kept from changing. */
  moving: Set<string>;
  /** Its transaction sees the dump's moment. */
  reader: Session;
  /** Keeps tables without transactions as they are, until the end. */
  keeper: Session | null;
}

/**
 * Starts the dump program and a transaction for the fingerprint at one moment: others are kept from writing until
 * the program's first output shows that its snapshot is taken, which takes a few milliseconds. Tables of engines
 * without transactions stay locked against writing until the end.
 */
export async function beginDump(
  flavour: Flavour,
  access: Access,
  options: DumpOptions,
  work: WorkContext,
): Promise<DumpSession> {
  const ending = new AbortController();
  const signal = AbortSignal.any([work.signal, ending.signal]);
  const { user } = parseConnection(flavour, access.connection);
  const own: SessionOptions = { signal, applicationName: work.applicationName };
  const opened: Session[] = [];
  const open = async (): Promise<Session> => {
    const session = await openSession(flavour, access, own);
    opened.push(session);
    await pinSettings(session);
    return session;
  };
  const explain = (error: unknown) => (signal.aborted ? signal.reason : dumpError(error, user));
  let program: FollowedStream | undefined;
  try {
    const holder = await open();
    const info = await readInfo(holder);
    await requireRights(holder, info.databaseName);
    await requireDumpableEvents(holder, info.databaseName);
    const tools = await findTools(flavour);
    work.log(`${flavour.label} ${info.version}, ${tools.dump} ${tools.version}`);
    const schema = await digestSchema(holder);
    const sequences = await readSequences(holder);
    const client = await writeClientOptions(flavour, access, holder.encrypted, work.tempDir);
    const reader = await open();
    const keeper = await open();

    const { tables, still } = await holdStill(holder, () => listTables(reader), options.lockWaitMs, work);
    const moving = await keepStill(keeper, tables, options.lockWaitMs);
    await beginSnapshot(reader);
    const history = tables.some((table) => table.versioned);
    program = openDump(dumpCommand({ flavour, tools, client, info, work, signal, history }), explain);
    await withinTime(program.begun, Math.max(options.lockWaitMs, BEGIN_MS));
    await release(holder);
    await holder.close();
    if (moving === null) await keeper.close();
    // It ended before anybody read from it: then it says why.
    await Promise.race([program.done, new Promise((resolve) => setImmediate(resolve))]);

    const notCompared = await sentences(reader, tables);
    work.log(said(still, tables));
    const dump: Dump = {
      flavour,
      access,
      options,
      work,
      signal,
      user,
      info,
      tools,
      program,
      tables,
      sequences,
      schema,
      notCompared,
      still,
      moving: moving ?? new Set(),
      reader,
      keeper: moving === null ? null : keeper,
    };
    return session(dump, ending);
  } catch (error) {
    ending.abort(error);
    program?.stream.destroy();
    await Promise.all(opened.map((session) => session.close()));
    work.signal.throwIfAborted();
    throw sourceError(error, user);
  }
}

/** Others can't write until then: a program that hangs when it connects is given up. */
async function withinTime(begun: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new HoldfastError("timeout", `The dump program has not begun after ${ms / 1000} s.`, {
      remedy: "Check that the worker's dump program reaches the server, then back up again.",
    });
    timer = setTimeout(() => reject(error), ms);
  });
  try {
    await Promise.race([begun, late]);
  } finally {
    clearTimeout(timer);
  }
}

function said(still: Stillness, tables: readonly TableInfo[]): string {
  if (still.by === "nothing") return `Dump and fingerprint can't share a moment: ${still.why}.`;
  const how = still.by === "server" ? "FLUSH TABLES WITH READ LOCK" : "LOCK TABLES";
  return `${tables.length} tables at one moment, chosen under ${how}`;
}

/** Locks tables without transactions until the session ends. Null: there are none; else those that can't be. */
async function keepStill(
  keeper: Session,
  tables: readonly TableInfo[],
  lockWaitMs: number,
): Promise<Set<string> | null> {
  const plain = tables.filter((table) => !table.transactional && notComparable(table) === null);
  if (plain.length === 0) return null;
  try {
    await keeper.run(`SET SESSION lock_wait_timeout = ${Math.max(1, Math.ceil(lockWaitMs / 1000))}`);
    await lockTables(keeper, plain);
    return new Set();
  } catch (error) {
    if (!isDenied(error)) throw error;
    return new Set(plain.map((table) => table.name));
  }
}

function dumpCommand(of: {
  flavour: Flavour;
  tools: ClientTools;
  client: ClientOptions;
  info: ServerInfo;
  work: WorkContext;
  signal: AbortSignal;
  history: boolean;
}) {
  const { flavour, tools, client, info, work, signal, history } = of;
  const args = [
    client.argument,
    "--single-transaction",
    "--quick",
    "--skip-lock-tables",
    "--skip-add-locks",
    "--routines",
    "--events",
    "--triggers",
    "--hex-blob",
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
    ...flavour.dumpArgs,
    ...(history ? ["--dump-history"] : []),
    "--",
    info.databaseName,
  ];
  return {
    program: tools.dump,
    args,
    secrets: client.secrets,
    tempDir: work.tempDir,
    signal,
    onStderrLine: (line: string) => work.log(line, /error|couldn't/i.test(line) ? "error" : "warn"),
  };
}

function session(dump: Dump, ending: AbortController): DumpSession {
  const { work, tools, access, flavour, signal } = dump;
  let running: Promise<unknown> = Promise.resolve();
  let opened = false;
  const artefact: DumpArtefact = {
    name: "dump",
    file: "dump.sql",
    open() {
      if (opened) throw new Error("the dump is one stream, and was opened already");
      opened = true;
      return dump.program;
    },
  };
  return {
    info: dump.info,
    tools: { [tools.dump.split("/").at(-1) ?? "dump"]: tools.version },
    artefacts: [artefact, globalsArtefact(dump)],
    async fingerprint() {
      const made = fingerprintSource(dump);
      running = made.catch(() => undefined);
      return await made;
    },
    async close() {
      ending.abort(new Error("The dump's session was closed."));
      dump.program.stream.destroy();
      await running;
      await dump.program.done.catch(() => undefined);
      await Promise.all([dump.reader.close(), dump.keeper?.close()]);
      if (work.signal.aborted || signal.reason instanceof Error) {
        await endSessions(flavour, access, work.applicationName).catch(() => undefined);
      }
    },
  };
}

function globalsArtefact({ flavour, access, info, work, signal }: Dump): DumpArtefact {
  const options = { signal, applicationName: work.applicationName };
  return {
    name: "globals",
    file: "globals.sql",
    open: () => openGlobals(() => openSession(flavour, access, options), info.databaseName, work),
  };
}

async function fingerprintSource(dump: Dump): Promise<Fingerprint> {
  const { reader, info, tables, work, options, still, moving } = dump;
  const plan: DigestPlan = {
    budgetMs: options.digestBudgetMs,
    compare(table) {
      const why = notComparable(table);
      if (why !== null) return { not: why };
      if (still.by === "nothing") return { not: "dump and fingerprint could not share a moment" };
      if (moving.has(table.name)) {
        return { not: `${table.engine} has no transactions, and this user may not LOCK TABLES` };
      }
      return "content";
    },
  };
  const { sequences, notCompared } = dump;
  const unshared =
    still.by === "nothing"
      ? { unshared: `${still.why}: GRANT RELOAD ON *.* (or LOCK TABLES on the database) TO its user` }
      : {};
  try {
    const rest = { sequences, notCompared, schema: () => schemaAfter(dump), ...unshared };
    const made = await takeFingerprint(reader, info, tables, plan, rest, work);
    // Dump and digests are done: whoever waits to write may go on.
    await dump.keeper?.close();
    return made;
  } catch (error) {
    dump.signal.throwIfAborted();
    throw sourceError(error, dump.user);
  }
}

/** Definitions have no snapshot: the dump has those that were there before it and are there after it. */
async function schemaAfter(dump: Dump): Promise<Pick<Fingerprint, "schema" | "ownership">> {
  const { flavour, access, work, signal, info, schema } = dump;
  await dump.program.done;
  const method = schemaMethod(flavour.label, info);
  const options = { signal, applicationName: work.applicationName };
  const after = await withSession(flavour, access, options, async (session) => {
    await pinSettings(session);
    return await digestSchema(session);
  });
  if (after.schema === schema.schema && after.ownership === schema.ownership)
    return schemaPart(method, schema);
  const note = "not comparable: definitions were changed while the dump ran";
  return { schema: { digest: null, method, note }, ownership: { digest: null, note } };
}
