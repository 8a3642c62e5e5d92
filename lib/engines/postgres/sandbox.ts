import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Client } from "pg";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { ServerBinaries } from "../../sandbox/binaries.ts";
import {
  chooseServer,
  extensionLibrary,
  extensionVersion,
  findServers,
  isTrusted,
  prepareServer,
} from "../../sandbox/binaries.ts";
import type { HostIsolation } from "../../sandbox/isolation.ts";
import { probeIsolation } from "../../sandbox/isolation.ts";
import type { SandboxServer } from "../../sandbox/postgres-server.ts";
import { PORT, SUPERUSER, startServerIn } from "../../sandbox/postgres-server.ts";
import { preloadLibraries, sandboxSettings, totalBudget } from "../../sandbox/postgres-settings.ts";
import type { SandboxFolder } from "../../sandbox/sandbox-folder.ts";
import { makeSandboxFolder } from "../../sandbox/sandbox-folder.ts";
import { newSandboxUser, sandboxAccount } from "../../sandbox/sandbox-user.ts";
import { watchLife } from "../../sandbox/watch-life.ts";
import type { Access, Sandbox, SandboxRequest, WorkContext } from "../engine.ts";
import { localeClause } from "./collation.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";

/** Non-superuser of the weaker isolation. */
const RESTORE_ROLE = "holdfast_restore";

/**
 * Not trusted by PostgreSQL, and yet without a way to files, programs or the network: made beforehand by the
 * superuser where the restore runs as an ordinary role. dblink and the foreign data wrappers are left out on
 * purpose.
 */
const HARMLESS = ["pg_stat_statements", "pg_buffercache", "pg_freespacemap", "pg_visibility", "pgstattuple"];

/**
 * Starts a throwaway PostgreSQL of the dumped major (else the nearest above) with an empty database like the
 * dumped one. Takes about a second. Throws `unavailable` when no such server or one of the extensions is here.
 * @param isolation what the host allows; found out by default.
 */
export async function startPostgresSandbox(
  request: SandboxRequest,
  work: WorkContext,
  isolation?: HostIsolation,
): Promise<Sandbox> {
  const host = isolation ?? (await probeIsolation());
  const names = request.extensions.map((extension) => extension.name);
  const server = chooseServer(findServers(), Number.parseInt(request.serverVersion, 10), names);
  if (host.method.mode === "role") assertTrusted(server, names);
  await prepareServer(server);
  const user = await (host.method.mode === "namespaces" ? newSandboxUser() : sandboxAccount());
  const folder = await makeSandboxFolder(path.dirname(work.tempDir), user, `.s.PGSQL.${PORT}`);
  const settings = (socketDir: string) =>
    sandboxSettings({
      databaseName: request.databaseName,
      preload: preloadLibraries(server, names),
      socketDir,
      clusterName: `holdfast-${folder.id}`,
      budgetBytes: request.diskBudgetBytes,
    });
  let started: SandboxServer;
  try {
    const hidden = [...request.hidden, work.tempDir];
    started = await startServerIn({ server, isolation: host, folder, hidden, settings, signal: work.signal });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const life = watchLife(started.run, folder, totalBudget(request.diskBudgetBytes));
  try {
    const notes = versionNotes(server, request);
    const { access, version, note } = await prepareDatabase(server, started, folder, host, request);
    if (note) notes.push(note);
    for (const line of notes) work.log(`Sandbox: ${line}`, "warn");
    return {
      access,
      version,
      isolation: host.method.mode,
      isolationDetail: `${host.detail}; PostgreSQL ${version} (${server.source})`,
      notes,
      ended: life.ended,
      stop: life.stop,
    };
  } catch (error) {
    await life.stop();
    throw life.ended.aborted ? life.ended.reason : error;
  }
}

function assertTrusted(server: ServerBinaries, names: readonly string[]): void {
  const guarded = names.filter((name) => !HARMLESS.includes(name) && !isTrusted(server, name));
  if (guarded.length === 0) return;
  throw new HoldfastError(
    "unavailable",
    `extension ${guarded.join(", ")} needs a superuser, and this host allows no isolation to restore as one`,
    { remedy: "Install bubblewrap on this worker, or allow it to make namespaces." },
  );
}

/** A control file alone does not make an extension: its library may want another one that is missing. */
async function assertLoadable(
  admin: Client,
  binaries: ServerBinaries,
  request: SandboxRequest,
): Promise<void> {
  for (const { name } of request.extensions) {
    const library = extensionLibrary(binaries, name);
    if (library === null) continue;
    await admin.query(`LOAD ${quoteLiteral(library)}`).catch((error: unknown) => {
      throw new HoldfastError("unavailable", `extension ${name} is not available here`, {
        remedy: `Install what it needs on this worker: ${messageOf(error)}`,
        cause: error,
      });
    });
  }
}

async function prepareDatabase(
  binaries: ServerBinaries,
  server: SandboxServer,
  folder: SandboxFolder,
  host: HostIsolation,
  request: SandboxRequest,
): Promise<{ access: Access; version: string; note: string | null }> {
  const admin = await server.connect("template1");
  try {
    await assertLoadable(admin, binaries, request);
    const { rows } = await admin.query<{ server_version: string }>("SHOW server_version");
    const version = rows[0]?.server_version.split(" ")[0] ?? request.serverVersion;
    const access = (user: string, password: string | null): Access => ({
      connection: {
        host: folder.socketDir,
        port: PORT,
        database: request.databaseName,
        user,
        tls: "disable",
      },
      ...(password === null ? {} : { password }),
    });
    const note = await createLike(admin, request);
    if (host.method.mode === "namespaces") return { access: access(SUPERUSER, null), version, note };
    const password = randomBytes(24).toString("base64url");
    await admin.query(`CREATE ROLE ${RESTORE_ROLE} LOGIN NOSUPERUSER PASSWORD '${password}'`);
    await admin.query(`ALTER DATABASE ${quoteIdentifier(request.databaseName)} OWNER TO ${RESTORE_ROLE}`);
    const inside = await server.connect(request.databaseName);
    try {
      await inside.query(`ALTER SCHEMA public OWNER TO ${RESTORE_ROLE}`);
      for (const { name } of request.extensions.filter((extension) => HARMLESS.includes(extension.name))) {
        await inside.query(`CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(name)}`);
      }
    } finally {
      await inside.end();
    }
    return { access: access(RESTORE_ROLE, password), version, note };
  } finally {
    await admin.end();
  }
}

/** Creates the database; returns a note where its collation is not available here. */
async function createLike(admin: Client, request: SandboxRequest): Promise<string | null> {
  const name = quoteIdentifier(request.databaseName);
  if (request.databaseName === "postgres") await admin.query(`DROP DATABASE ${name}`);
  const encoding = request.encoding ?? "UTF8";
  const create = async (locale: string) => {
    await admin.query(
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING ${quoteLiteral(encoding)} ${localeClause(locale)}`,
    );
  };
  const wanted = request.collation ?? "C";
  try {
    await create(wanted);
    return null;
  } catch (error) {
    if (wanted === "C") throw cannotCreate(error, request);
    await create("C").catch((second: unknown) => {
      throw cannotCreate(second, request);
    });
    return `collation ${wanted} is not available here, C was used (${messageOf(error)})`;
  }
}

function cannotCreate(error: unknown, request: SandboxRequest): HoldfastError {
  return new HoldfastError(
    "unavailable",
    `The sandbox could not make a database like ${request.databaseName} with encoding ${request.encoding}: ${messageOf(error)}`,
    { cause: error },
  );
}

function versionNotes(server: ServerBinaries, request: SandboxRequest): string[] {
  const notes: string[] = [];
  const major = Number.parseInt(request.serverVersion, 10);
  if (server.major !== major) notes.push(`PostgreSQL ${server.major} stands in for ${major}`);
  for (const { name, version } of request.extensions) {
    const here = extensionVersion(server, name);
    if (here !== null && here !== version) notes.push(`extension ${name} is ${here} here, ${version} there`);
  }
  return notes;
}
