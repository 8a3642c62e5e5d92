import { HoldfastError, messageOf } from "../../errors.ts";
import { inLargeBlocks } from "../../process/large-blocks.ts";
import type { CommandOptions } from "../../process/run-command.ts";
import type { Fingerprint } from "../../proof/schema.ts";
import type { Access, DumpArtefact, DumpOptions, DumpSession, ServerInfo, WorkContext } from "../engine.ts";
import type { ArchiveStream } from "./archive-stream.ts";
import { digestSchema, openArchive, openStream } from "./archive-stream.ts";
import type { ClientEnvironment } from "./client-environment.ts";
import { clientEnvironment } from "./client-environment.ts";
import type { PgSession } from "./connect.ts";
import { connect, openSession } from "./connect.ts";
import type { DigestPlan } from "./digest-tables.ts";
import { dumpError, sourceError } from "./dump-errors.ts";
import { notComparable, schemaMethod, schemaPart, takeFingerprint } from "./fingerprint.ts";
import { readInfo } from "./probe.ts";
import { quoteConninfo } from "./quote.ts";
import { endSessions } from "./sessions.ts";
import { beginSnapshot } from "./snapshot.ts";
import type { SourceSnapshot } from "./source-snapshot.ts";
import { takeSnapshot } from "./source-snapshot.ts";
import type { ClientTools } from "./tools.ts";
import { chooseTools, findClientTools } from "./tools.ts";

/** All that the parts of one dump share. */
interface Dump {
  access: Access;
  options: DumpOptions;
  work: WorkContext;
  /** The caller's signal, or the loss of the snapshot. */
  signal: AbortSignal;
  info: ServerInfo;
  tools: ClientTools;
  client: ClientEnvironment;
  snapshot: SourceSnapshot;
  user: string;
  explain: (error: unknown) => unknown;
}

/**
 * Opens a snapshot of the source and holds it until close(). Reading the dump's stream and fingerprint() are
 * meant to run at the same time: the schema's digest is read from the head of the stream.
 */
export async function beginDump(
  access: Access,
  options: DumpOptions,
  work: WorkContext,
): Promise<DumpSession> {
  const ending = new AbortController();
  const signal = AbortSignal.any([work.signal, ending.signal]);
  const client = await clientEnvironment(access, work);
  const user = client.env.PGUSER ?? "";
  const holder = await openSession(access, { signal, applicationName: work.applicationName });
  let dump: Dump;
  try {
    const info = await readInfo(holder.client, access);
    const tools = chooseTools(await findClientTools(), info.major);
    work.log(`PostgreSQL ${info.version}, pg_dump ${tools.version} (${tools.pgDump})`);
    const snapshot = await takeSnapshot(holder.client, info, options.lockWaitMs);
    work.log(
      `Snapshot ${snapshot.id}: ${snapshot.tables.length} tables, ${snapshot.sequences.length} sequences`,
    );
    const explain = (error: unknown) => (signal.aborted ? signal.reason : dumpError(error, user));
    dump = { access, options, work, signal, info, tools, client, snapshot, user, explain };
  } catch (error) {
    await holder.close();
    work.signal.throwIfAborted();
    throw await sourceError(error, user, async () => await connect(access));
  }
  void holder.lost.then((error) => ending.abort(snapshotLost(error)));
  return session(dump, holder, ending);
}

function snapshotLost(error: Error): HoldfastError {
  return new HoldfastError(
    "unavailable",
    `The connection that holds the snapshot was lost: ${messageOf(error)}`,
    { remedy: "Check that the server runs and that nothing ends idle transactions, then back up again." },
  );
}

function session(dump: Dump, holder: PgSession, ending: AbortController): DumpSession {
  const { work, tools, access, signal } = dump;
  let archive: ArchiveStream | null = null;
  let running: Promise<unknown> = Promise.resolve();
  const artefact: DumpArtefact = {
    name: "dump",
    file: "dump.pgdump",
    open() {
      archive = openArchive(inLargeBlocks(dumpCommand(dump)), dump.explain);
      return archive;
    },
  };
  return {
    info: dump.info,
    tools: { pg_dump: tools.version, pg_dumpall: tools.version },
    artefacts: [artefact, globalsArtefact(dump)],
    async fingerprint() {
      const made = fingerprintSource(dump, () => archive);
      running = made.catch(() => undefined);
      return await made;
    },
    async close() {
      await holder.close();
      ending.abort(new Error("The dump's session was closed."));
      await running;
      await archive?.done.catch(() => undefined);
      if (work.signal.aborted || signal.reason instanceof HoldfastError) {
        await endSessions(access, work.applicationName).catch(() => undefined);
      }
    },
  };
}

function common({ client, work, signal }: Dump): Omit<CommandOptions, "program" | "args"> {
  return {
    env: client.env,
    secrets: client.secrets,
    tempDir: work.tempDir,
    signal,
    onStderrLine: (line) => work.log(line, /error:/.test(line) ? "error" : "warn"),
  };
}

function dumpCommand(dump: Dump): CommandOptions {
  const { snapshot, options, tools } = dump;
  const args = [
    "--format=custom",
    "--compress=0",
    "--no-password",
    `--snapshot=${snapshot.id}`,
    `--lock-wait-timeout=${options.lockWaitMs}`,
    ...(snapshot.standby ? ["--no-unlogged-table-data"] : []),
  ];
  return { ...common(dump), program: tools.pgDump, args };
}

/** Roles, memberships and tablespaces: not part of the snapshot, and small. */
function globalsArtefact(dump: Dump): DumpArtefact {
  const { snapshot, tools, info, work, explain } = dump;
  return {
    name: "globals",
    file: "globals.sql",
    open() {
      if (!snapshot.passwords) {
        work.log("Roles are saved without their passwords: this user may not read pg_authid.", "warn");
      }
      const args = [
        "--globals-only",
        "--no-password",
        `--database=dbname=${quoteConninfo(info.databaseName)}`,
        ...(snapshot.passwords ? [] : ["--no-role-passwords"]),
      ];
      return openStream({ ...common(dump), program: tools.pgDumpall, args }, explain);
    },
  };
}

/** In a session of its own that sees the dump's snapshot. */
async function fingerprintSource(dump: Dump, archive: () => ArchiveStream | null): Promise<Fingerprint> {
  const { access, signal, work, info, tools, snapshot, options, explain } = dump;
  const own = await openSession(access, { signal, applicationName: work.applicationName });
  const schema = async () => {
    const read =
      archive()?.schema ??
      digestSchema({ ...dumpCommand(dump), args: [...dumpCommand(dump).args, "--schema-only"] }, explain);
    return schemaPart(schemaMethod(tools, info), await read);
  };
  const plan: DigestPlan = {
    budgetMs: options.digestBudgetMs,
    compare(table) {
      const why = notComparable(table);
      if (why !== null) return { not: why };
      if (snapshot.standby && table.unlogged) return { not: "unlogged: can't be read on a standby" };
      return "content";
    },
  };
  try {
    await beginSnapshot(own.client, { serverMajor: info.major, snapshot: snapshot.id, parallelWorkers: 0 });
    const { tables, sequences } = snapshot;
    return await takeFingerprint(own.client, info, tables, plan, { sequences, schema }, work);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw await sourceError(error, dump.user, async () => await connect(access));
  } finally {
    await own.close();
  }
}
