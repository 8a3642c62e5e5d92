import type { Client } from "pg";
import { HoldfastError } from "../../errors.ts";
import type { Access, EngineFinding, ServerInfo } from "../engine.ts";
import { connect, openSession } from "./connect.ts";
import { parseConnection } from "./connection.ts";
import { findAccess } from "./preflight-access.ts";
import { findPooler, findServerState } from "./preflight-server.ts";
import { readInfo } from "./probe.ts";
import { chooseTools, findClientTools } from "./tools.ts";

const APPLICATION_NAME = "holdfast:preflight";

/** Everything missing or risky for backups of this database, all at once. Changes nothing. */
export async function preflight(access: Access, signal: AbortSignal): Promise<EngineFinding[]> {
  const to = parseConnection(access.connection);
  let client: Client;
  try {
    client = await connect(access, { signal, applicationName: APPLICATION_NAME });
  } catch (error) {
    if (signal.aborted || !(error instanceof HoldfastError)) throw error;
    return [unreachable(error)];
  }
  try {
    const pooler = await findPooler(client, to.port);
    const encrypted = (client.connection.stream as { encrypted?: boolean }).encrypted === true;
    await client.end();
    return await withServer(access, signal, async (inside, info) => [
      { ...reachable(encrypted, to.host, to.tls), detail: sentenceAbout(info, encrypted) },
      pooler,
      await findTools(info.major),
      ...(await findAccess(inside, to.user, info.major)),
      ...(await findServerState(inside, info)),
    ]);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function withServer<T>(
  access: Access,
  signal: AbortSignal,
  work: (client: Client, info: ServerInfo) => Promise<T>,
): Promise<T> {
  const session = await openSession(access, { signal, applicationName: APPLICATION_NAME });
  try {
    await session.client.query("BEGIN READ ONLY");
    await session.client.query("SET LOCAL statement_timeout = '60s'");
    const result = await work(session.client, await readInfo(session.client, access));
    await session.client.query("ROLLBACK");
    return result;
  } catch (error) {
    signal.throwIfAborted();
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

function sentenceAbout(info: ServerInfo, encrypted: boolean): string {
  return `PostgreSQL ${info.version}, database ${info.databaseName}, ${encrypted ? "encrypted" : "not encrypted"}.`;
}

/** Without encryption, anybody on the way between two machines reads the data. */
function reachable(encrypted: boolean, host: string, tls: string): EngineFinding {
  const local = host.startsWith("/") || ["localhost", "127.0.0.1", "::1"].includes(host);
  const checked = tls === "verify-full" || tls === "verify-ca";
  return {
    id: "connection",
    title: "Connection",
    state: local || (encrypted && checked) ? "ok" : "warning",
    detail: "",
    why:
      local || !encrypted
        ? "All data of a backup travels over this connection."
        : "Encrypted; the TLS mode verify-full would also make sure that it is the right server.",
  };
}

async function findTools(major: number): Promise<EngineFinding> {
  const finding = {
    id: "client-tools",
    title: "Client tools",
    why: "pg_dump refuses servers that are newer than itself.",
  };
  try {
    const tools = chooseTools(await findClientTools(), major);
    const detail = `pg_dump ${tools.version} is here.`;
    if (tools.major === major) return { ...finding, state: "ok", detail };
    return {
      ...finding,
      state: "warning",
      detail: `${detail} A dump made by it may not restore into PostgreSQL ${major} without changes.`,
    };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { ...finding, state: "problem", detail: `${error.message} ${error.remedy ?? ""}`.trim() };
  }
}
