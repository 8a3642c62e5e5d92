import { createWriteStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { Client } from "pg";
import { HoldfastError } from "../../errors.ts";
import { CommandError } from "../../process/command-error.ts";
import type { CommandOptions } from "../../process/run-command.ts";
import { runCommand } from "../../process/run-command.ts";
import type { Access, OpenArtefact, RestoreOptions, RestoreResult, WorkContext } from "../engine.ts";
import { listSkipped } from "../list-skipped.ts";
import { applyGlobals } from "./apply-globals.ts";
import { ArchiveContents, leftOut } from "./archive-contents.ts";
import type { TocEntry } from "./archive-toc.ts";
import { peekToc } from "./archive-toc.ts";
import { clientEnvironment } from "./client-environment.ts";
import { connect } from "./connect.ts";
import { applyDatabaseProperties } from "./database-properties.ts";
import { listExtensions } from "./list-tables.ts";
import { quoteConninfo } from "./quote.ts";
import { isUnknownSetting, restoreError } from "./restore-errors.ts";
import { endSessions } from "./sessions.ts";
import { chooseRestoreTools, findClientTools } from "./tools.ts";

type Skipped = RestoreResult["skipped"];

interface Target {
  database: string;
  user: string;
  major: number;
  superuser: boolean;
  /** Extensions that are there already. */
  extensions: string[];
}

/**
 * Restores a dump into an existing, empty database. Throws `conflict` when it is not empty, `unavailable` when
 * this machine or the target lacks what the dump needs, `invalid` when the dump is not whole, `refused` when
 * the server rejects what is in it. Nothing that goes wrong is passed over: what could not be restored by an
 * ordinary user is named in `skipped`, or, where the whole was asked for, is `refused`, too.
 */
export async function restore(
  access: Access,
  open: OpenArtefact,
  options: RestoreOptions,
  work: WorkContext,
): Promise<RestoreResult> {
  const begun = performance.now();
  const client = await connect(access, { signal: work.signal, applicationName: work.applicationName });
  try {
    const target = await readTarget(client);
    await assertEmpty(client, target.database);
    const skipped: Skipped = [];
    const owners = options.owners && target.superuser;
    if (options.owners && !owners) {
      skipped.push({ object: "owners and grants", reason: "the restoring user is not a superuser" });
    }
    if (owners) skipped.push(...(await applyGlobals(client, await text(await open("globals")))));
    const contents = new ArchiveContents();
    const { head, stream } = await peekToc(await open("dump"), (entry) => contents.add(entry));
    try {
      await assertExtensions(client, contents.extensions);
      const tools = chooseRestoreTools(
        await findClientTools(),
        Number.parseInt(head.dumpVersion, 10),
        target.major,
      );
      const { named, silent } = leftOut(contents, target);
      const left = [...named, ...silent];
      const lost = named.map(({ kind, tag }) => ({
        object: `${kind} ${tag}`,
        reason: "only a superuser can restore it",
      }));
      if (options.whole) requireNone(lost, target);
      skipped.push(...lost);
      work.log(`pg_restore ${tools.version}: ${head.entryCount} objects into ${target.database}`);
      const args = [
        "--format=custom",
        "--verbose",
        "--no-password",
        // Tablespaces are places on the old server.
        "--no-tablespaces",
        `--dbname=dbname=${quoteConninfo(target.database)}`,
        ...(owners ? [] : ["--no-owner", "--no-acl"]),
        ...(left.length === 0 ? [] : [`--use-list=${await writeList(contents, left, work)}`]),
      ];
      const { env, secrets } = await clientEnvironment(access, work);
      const { tempDir, signal } = work;
      await runRestore(
        { program: tools.pgRestore, args, env, secrets, tempDir, signal },
        { stream, options, entries: head.entryCount, lenient: tools.major >= 17 && target.major < 17 },
        work,
      );
      const { aboutDatabase } = contents;
      const about = await applyDatabaseProperties(client, aboutDatabase, target.database, owners);
      if (options.whole) requireNone(about.lost, target);
      skipped.push(...about.skipped);
      for (const { object, reason } of skipped) work.log(`Not restored: ${object}: ${reason}`, "warn");
      return { skipped, tools: { pg_restore: tools.version }, seconds: (performance.now() - begun) / 1000 };
    } finally {
      stream.destroy();
    }
  } catch (error) {
    if (work.signal.aborted) await endSessions(access, work.applicationName).catch(() => undefined);
    work.signal.throwIfAborted();
    throw restoreError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readTarget(client: Client): Promise<Target> {
  const { rows } = await client.query<{
    database: string;
    user: string;
    number: string;
    superuser: boolean;
  }>(`
    SELECT current_database() AS database, current_user AS user, current_setting('server_version_num') AS number,
      current_setting('is_superuser') = 'on' AS superuser`);
  const { database = "", user = "", number = "0", superuser = false } = rows[0] ?? {};
  const extensions = (await listExtensions(client)).map((extension) => extension.name);
  return { database, user, major: Math.floor(Number(number) / 10_000), superuser, extensions };
}

function requireNone(lost: Skipped, { user }: Target): void {
  if (lost.length === 0) return;
  throw new HoldfastError(
    "refused",
    `The user ${user} can't restore all that the backup holds: without ${listSkipped(lost)} it would not be the same database.`,
    {
      remedy:
        "Connect to the database as a superuser, then try again; or restore into a new database, which may go without.",
    },
  );
}

async function assertEmpty(client: Client, database: string): Promise<void> {
  const { rows } = await client.query<{ n: number }>(`
    SELECT count(*)::int AS n FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
    WHERE s.nspname !~ '^pg_' AND s.nspname <> 'information_schema' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`);
  const found = rows[0]?.n ?? 0;
  if (found === 0) return;
  throw new HoldfastError(
    "conflict",
    `Database ${database} is not empty: it has ${found} tables, views and indexes.`,
    {
      remedy: "Restore into a new database.",
    },
  );
}

async function assertExtensions(client: Client, names: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT wanted AS name FROM unnest($1::text[]) AS wanted
     WHERE wanted NOT IN (SELECT name FROM pg_catalog.pg_available_extensions)`,
    [names],
  );
  if (rows.length === 0) return;
  const missing = rows.map((row) => row.name).join(", ");
  throw new HoldfastError("unavailable", `extension ${missing} is not available on the target server`, {
    remedy: "Install it there, then try again.",
  });
}

/** A list of all entries but some, for --use-list. */
async function writeList(
  contents: ArchiveContents,
  left: readonly TocEntry[],
  work: WorkContext,
): Promise<string> {
  const out = new Set(left.map((entry) => entry.id));
  const file = path.join(work.tempDir, "restore.list");
  const lines = contents.ids.filter((id) => !out.has(id)).map((id) => `${id};`);
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

interface RestoreRun {
  stream: Readable;
  options: RestoreOptions;
  entries: number;
  /** A pg_restore of 17 or later sets a parameter that older servers refuse: that one error is let pass. */
  lenient: boolean;
}

async function runRestore(command: CommandOptions, run: RestoreRun, work: WorkContext): Promise<void> {
  const { options, stream } = run;
  if (options.spoolDir === null || options.jobs <= 1) {
    await judged({ ...command, stdin: stream }, run, work);
    return;
  }
  await mkdir(options.spoolDir, { recursive: true, mode: 0o700 });
  const file = path.join(options.spoolDir, "dump.pgdump");
  try {
    // "wx": a file that is there already is not ours.
    await pipeline(stream, createWriteStream(file, { flags: "wx", mode: 0o600 }), { signal: work.signal });
    const args = [...command.args, `--jobs=${options.jobs}`, file];
    await judged({ ...command, args }, run, work);
  } finally {
    await rm(file, { force: true });
  }
}

/** Runs pg_restore so that its first error ends it, and reports progress in objects. */
async function judged(command: CommandOptions, run: RestoreRun, work: WorkContext): Promise<void> {
  let done = 0;
  const failing = new AbortController();
  const onStderrLine = (line: string): void => {
    if (/^pg_restore: (creating|processing data|executing) /.test(line)) {
      done = Math.min(done + 1, run.entries);
      work.progress({ label: "Restore", done, total: run.entries, unit: "objects" });
    } else if (/^pg_restore: error:/.test(line)) {
      const pass = run.lenient && isUnknownSetting(line);
      work.log(line, pass ? "warn" : "error");
      if (run.lenient && !pass) failing.abort(new CommandError("pg_restore", 1, null, line));
    } else if (/^pg_restore: (warning|detail|hint):/.test(line)) {
      work.log(line, "warn");
    }
  };
  await runCommand({
    ...command,
    args: run.lenient ? command.args : ["--exit-on-error", ...command.args],
    signal: AbortSignal.any([work.signal, failing.signal]),
    okCodes: run.lenient ? [0, 1] : [0],
    onStderrLine,
  });
}
