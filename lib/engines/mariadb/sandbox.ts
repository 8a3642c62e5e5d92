import { randomBytes } from "node:crypto";
import path from "node:path";
import { HoldfastError } from "../../errors.ts";
import type { HostIsolation } from "../../sandbox/isolation.ts";
import { probeIsolation } from "../../sandbox/isolation.ts";
import type { MariadbBinaries } from "../../sandbox/mariadb-server.ts";
import { findMariadbServers, SOCKET, startMariadbIn } from "../../sandbox/mariadb-server.ts";
import type { IsolatedRun } from "../../sandbox/run-isolated.ts";
import { makeSandboxFolder } from "../../sandbox/sandbox-folder.ts";
import { newSandboxUser, sandboxAccount } from "../../sandbox/sandbox-user.ts";
import { watchLife } from "../../sandbox/watch-life.ts";
import type { Access, Sandbox, SandboxRequest, WorkContext } from "../engine.ts";
import type { Session } from "./connect.ts";
import { withSession } from "./connect.ts";
import type { Flavour } from "./flavour.ts";
import { flavourOf } from "./flavour.ts";
import { create } from "./manage-databases.ts";
import { quoteAccount, quoteIdentifier, quoteLiteral } from "./quote.ts";
import { isOlder } from "./tools.ts";

const SUPERUSER = "root";
/** Has no rights beyond the database, for hosts without namespaces. */
const RESTORE_USER = "holdfast_restore";
/** Files of a server with nothing in it, its redo log included. */
const EMPTY_BYTES = 384 * 1024 ** 2;

/**
 * Starts a throwaway server of the dumped version or newer, on a socket only, with events off and an empty database
 * like the dumped one. Takes about a second. Throws `unavailable` when no such server is here.
 * @param isolation what the host allows; found out by default.
 */
export async function startSandbox(
  flavour: Flavour,
  request: SandboxRequest,
  work: WorkContext,
  isolation?: HostIsolation,
): Promise<Sandbox> {
  const host = isolation ?? (await probeIsolation());
  const namespaces = host.method.mode === "namespaces";
  const server = await chooseServer(flavour, request.serverVersion);
  const user = await (namespaces ? newSandboxUser() : sandboxAccount());
  const folder = await makeSandboxFolder(path.dirname(work.tempDir), user, SOCKET);
  // A namespace holds back whoever gets in; a plain process needs its superuser guarded from the dump's code.
  const password = namespaces ? null : randomBytes(24).toString("base64url");
  const restorePassword = randomBytes(24).toString("base64url");
  const accessOf = (name: string, secret: string | null): Access => ({
    connection: {
      host: path.join(folder.socketDir, SOCKET),
      port: 3306,
      database: request.databaseName,
      user: name,
      tls: "disable",
    },
    ...(secret === null ? {} : { password: secret }),
  });
  const admin = accessOf(SUPERUSER, password);
  let run: IsolatedRun;
  try {
    run = await startMariadbIn({
      server,
      isolation: host,
      folder,
      hidden: [...request.hidden, work.tempDir],
      budgetBytes: request.diskBudgetBytes,
      first: password === null ? [] : guards(server, password),
      signal: work.signal,
      tryConnect: () => withSession(flavour, admin, { noDatabase: true }, async () => undefined),
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const life = watchLife(run, folder, request.diskBudgetBytes + EMPTY_BYTES);
  try {
    await withSession(flavour, admin, { signal: work.signal, noDatabase: true }, async (session) => {
      await create(session, request.databaseName, request);
      if (!namespaces) await makeRestorer(session, request.databaseName, restorePassword);
    });
    const notes = versionNotes(flavour, server, request.serverVersion);
    for (const line of notes) work.log(`Sandbox: ${line}`, "warn");
    return {
      access: namespaces ? admin : accessOf(RESTORE_USER, restorePassword),
      version: server.version,
      isolation: host.method.mode,
      isolationDetail: `${host.detail}; ${flavour.label} ${server.version}`,
      notes,
      ended: life.ended,
      stop: life.stop,
    };
  } catch (error) {
    await life.stop();
    throw life.ended.aborted ? life.ended.reason : error;
  }
}

/** Before anybody gets in: a password for the superuser, and no other one. */
function guards(server: MariadbBinaries, password: string): string[] {
  const others = [
    "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost'",
    "FLUSH PRIVILEGES",
  ];
  return [
    // One that initializes itself makes no others.
    ...(server.initializesItself ? [] : others),
    `ALTER USER \`${SUPERUSER}\`@\`localhost\` IDENTIFIED BY ${quoteLiteral(password)}`,
  ];
}

/** A user who may do anything in one database, and nothing else. */
async function makeRestorer(session: Session, database: string, password: string): Promise<void> {
  const restorer = quoteAccount(RESTORE_USER, "localhost");
  // In a grant these are wildcards.
  const pattern = database.replace(/[\\_%]/g, "\\$&");
  await session.run(`CREATE USER ${restorer} IDENTIFIED BY ${quoteLiteral(password)}`);
  await session.run(`GRANT ALL PRIVILEGES ON ${quoteIdentifier(pattern)}.* TO ${restorer}`);
}

/** Its own version at least: a dump may use what an older server does not know. */
async function chooseServer(flavour: Flavour, version: string): Promise<MariadbBinaries> {
  const servers = await findMariadbServers(flavour.server.names, (text) => flavourOf(text) === flavour);
  const usable = servers.find((server) => !isOlder(server.version, version));
  if (usable) return usable;
  const wanted = version.split(".").slice(0, 2).join(".");
  const here = servers.map((server) => server.version).join(", ");
  throw new HoldfastError(
    "unavailable",
    `${flavour.label} ${wanted} or newer is not available here${here ? `, only ${here}` : ""}.`,
    { remedy: `Install the server programs on this worker: apt-get install -y ${flavour.server.package}` },
  );
}

function versionNotes(flavour: Flavour, server: MariadbBinaries, version: string): string[] {
  const [here, there] = [server.version, version].map((text) => text.split(".").slice(0, 2).join("."));
  return here === there ? [] : [`${flavour.label} ${here} stands in for ${there}`];
}
