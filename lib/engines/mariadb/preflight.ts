import { HoldfastError } from "../../errors.ts";
import type { Access, EngineFinding, ServerInfo } from "../engine.ts";
import { listTables } from "./catalog.ts";
import type { Session } from "./connect.ts";
import { openSession } from "./connect.ts";
import { parseConnection } from "./connection.ts";
import type { Flavour } from "./flavour.ts";
import { findAccounts, findGrants, findMoment, findRoutines } from "./preflight-access.ts";
import {
  findClock,
  findDefiners,
  findEngines,
  findEvents,
  findLocks,
  findReplica,
  findSize,
  findViews,
} from "./preflight-server.ts";
import { readInfo } from "./probe.ts";
import { readRights } from "./rights.ts";
import { pinSettings } from "./snapshot.ts";
import { findTools, isOlder } from "./tools.ts";

/** Longest single look, in milliseconds. */
const LOOK_MS = 60_000;

/** Everything missing or risky for backups of this database, all at once. Changes nothing. */
export async function preflight(
  flavour: Flavour,
  access: Access,
  signal: AbortSignal,
): Promise<EngineFinding[]> {
  let session: Session;
  try {
    session = await openSession(flavour, access, { signal, applicationName: "holdfast:preflight" });
  } catch (error) {
    if (signal.aborted || !(error instanceof HoldfastError)) throw error;
    return [unreachable(error)];
  }
  try {
    const info = await readInfo(session);
    await pinSettings(session);
    await session.run(flavour.statementLimit(LOOK_MS));
    const rights = await readRights(session, info.databaseName);
    const tables = await listTables(session);
    return [
      reachable(flavour, access, session, info),
      await tools(flavour, info),
      findGrants(rights, info.databaseName),
      findMoment(rights, info.databaseName),
      await findRoutines(session, rights),
      await findAccounts(session, rights),
      findEngines(tables),
      await findViews(session),
      await findDefiners(session),
      await findEvents(session, info.databaseName),
      await findLocks(session),
      await findReplica(session),
      await findClock(session),
      findSize(info),
    ];
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HoldfastError) return [unreachable(error)];
    throw error;
  } finally {
    await session.close();
  }
}

function unreachable(error: HoldfastError): EngineFinding {
  return {
    id: "connection",
    title: "Connection",
    state: "problem",
    detail: [error.message, error.remedy].filter(Boolean).join(" "),
    why: "Nothing else can be looked at before the connection works.",
  };
}

/** Without encryption, anybody on the way between two machines reads the data. */
function reachable(
  flavour: Flavour,
  access: Access,
  { encrypted }: Session,
  info: ServerInfo,
): EngineFinding {
  const { host, tls } = parseConnection(flavour, access.connection);
  const local = host.startsWith("/") || ["localhost", "127.0.0.1", "::1"].includes(host);
  const checked = tls === "verify-full" || tls === "verify-ca";
  return {
    id: "connection",
    title: "Connection",
    state: local || (encrypted && checked) ? "ok" : "warning",
    detail: `${flavour.label} ${info.version}, database ${info.databaseName}, ${encrypted ? "encrypted" : "not encrypted"}.`,
    why:
      local || !encrypted
        ? "All data of a backup travels over this connection."
        : "Encrypted; the TLS mode verify-full would also make sure that it is the right server.",
  };
}

async function tools(flavour: Flavour, info: ServerInfo): Promise<EngineFinding> {
  const finding = {
    id: "client-tools",
    title: "Client tools",
    why: "A dump program that is older than the server may not know all that the server has.",
  };
  try {
    const found = await findTools(flavour);
    const detail = `${found.dump} ${found.version} is here.`;
    if (!isOlder(found.version, info.version)) return { ...finding, state: "ok", detail };
    return {
      ...finding,
      state: "warning",
      detail: `${detail} The server is ${info.version}: install newer programs.`,
    };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { ...finding, state: "problem", detail: `${error.message} ${error.remedy ?? ""}`.trim() };
  }
}
