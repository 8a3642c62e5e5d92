import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { Connection, ConnectionConfig } from "mariadb";
import { createConnection } from "mariadb";
import type { MariadbConnection } from "../../databases/schema.ts";
import { messageOf } from "../../errors.ts";
import { guardedSocket } from "../../network/guarded-lookup.ts";
import type { Access } from "../engine.ts";
import { connectError } from "./connect-errors.ts";
import { parseConnection } from "./connection.ts";
import type { Flavour } from "./flavour.ts";
import { quoteLiteral } from "./quote.ts";

const CONNECT_TIMEOUT_MS = 15_000;
/** Sessions that one piece of work may have at a time on a server. */
export const MOST_SESSIONS = 16;

export interface SessionOptions {
  /** Ends the session and what it is running on the server. */
  signal?: AbortSignal | undefined;
  /** Found again under this name by those who end what a lost worker left. */
  applicationName?: string | undefined;
  /** Connect to the server alone, not to the database. */
  noDatabase?: boolean;
}

/** One connection. Close it always. */
export interface Session {
  flavour: Flavour;
  id: number;
  encrypted: boolean;
  /** Rows of a statement; big integers are numbers, decimals texts. */
  rows<T>(sql: string): Promise<T[]>;
  run(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** Sessions have no name on these servers: each takes a lock of its own name, which tells its number to everyone. */
export function lockName(applicationName: string, index: number): string {
  return `${applicationName.slice(0, 60)}/${index}`;
}

function tlsOptions(to: MariadbConnection): ConnectionConfig["ssl"] {
  if (to.host.startsWith("/") || to.tls === "disable") return false;
  const ca = to.ca === undefined ? {} : { ca: to.ca };
  switch (to.tls) {
    case "prefer":
    case "require":
      // With an authority given, the certificate is checked against it.
      return to.ca === undefined
        ? { rejectUnauthorized: false }
        : ({ ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined } as object);
    case "verify-ca":
      return { ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined } as object;
    case "verify-full":
      // Against the name that was given: without one, of an address for example, Node would take "localhost".
      return {
        ...ca,
        rejectUnauthorized: true,
        ...(isIP(to.host) ? {} : { servername: to.host }),
        checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
          checkServerIdentity(to.host, certificate),
      } as object;
  }
}

/** Opens a connection and throws what the connector throws. */
async function connectOnce(
  to: MariadbConnection,
  access: Access,
  options: SessionOptions,
  ssl: ConnectionConfig["ssl"],
): Promise<Connection> {
  options.signal?.throwIfAborted();
  const local = to.host.startsWith("/");
  const config: ConnectionConfig = {
    user: to.user,
    password: access.password ?? "",
    ...(options.noDatabase ? {} : { database: to.database }),
    ...(local ? { socketPath: to.host } : { host: to.host, port: to.port }),
    ...(ssl === undefined ? {} : { ssl }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAliveDelay: 30_000,
    charset: "utf8mb4",
    bigIntAsNumber: true,
    dateStrings: true,
    permitLocalInfile: false,
    // Without TLS, MySQL's default login asks the server for its key.
    allowPublicKeyRetrieval: to.tls !== "verify-ca" && to.tls !== "verify-full",
    // Statements have no place in an error.
    debugLen: 0,
  };
  if (!local) {
    config.stream = (hand) => {
      const socket = guardedSocket();
      socket.setNoDelay(true);
      hand(undefined, socket.connect(to.port, to.host));
    };
  }
  const connection = await createConnection(config);
  // Without a listener a connection lost between two statements would end this process.
  connection.on("error", () => undefined);
  return connection;
}

async function open(
  flavour: Flavour,
  access: Access,
  options: SessionOptions,
): Promise<{ connection: Connection; encrypted: boolean }> {
  const to = parseConnection(flavour, access.connection);
  const ssl = tlsOptions(to);
  try {
    return { connection: await connectOnce(to, access, options, ssl), encrypted: ssl !== false };
  } catch (error) {
    options.signal?.throwIfAborted();
    const withoutTls = ssl !== false && to.tls === "prefer" && /SSL|TLS/i.test(messageOf(error));
    if (!withoutTls) throw connectError(flavour, error, to);
  }
  try {
    return { connection: await connectOnce(to, access, options, false), encrypted: false };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw connectError(flavour, error, to);
  }
}

/** Ends one session and its statement from a connection of its own; the same account may always do that. */
async function kill(flavour: Flavour, access: Access, id: number): Promise<void> {
  const { connection } = await open(flavour, access, { noDatabase: true });
  try {
    await connection.query(`KILL ${id}`);
  } finally {
    await connection.end();
  }
}

/**
 * Connects; a session is ended on the server, too, when the signal aborts. Throws a HoldfastError that says why it
 * failed and what to do, or the signal's reason.
 */
export async function openSession(
  flavour: Flavour,
  access: Access,
  options: SessionOptions = {},
): Promise<Session> {
  const { connection, encrypted } = await open(flavour, access, options);
  const id = connection.threadId ?? 0;
  let ended: Promise<unknown> | undefined;
  const onAbort = () => {
    // The server notices a closed socket only when it next writes, so a long statement is ended by name.
    ended = kill(flavour, access, id)
      .catch(() => undefined)
      .finally(() => connection.destroy());
  };
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const rows = async <T>(sql: string): Promise<T[]> => {
    options.signal?.throwIfAborted();
    try {
      const result = await connection.query<T[]>(sql);
      return Array.isArray(result) ? result : [];
    } catch (error) {
      options.signal?.throwIfAborted();
      throw error;
    }
  };
  const session: Session = {
    flavour,
    id,
    encrypted,
    rows,
    run: async (sql) => {
      await rows(sql);
    },
    async close() {
      options.signal?.removeEventListener("abort", onAbort);
      await (ended ?? connection.end().catch(() => connection.destroy()));
    },
  };
  if (options.applicationName !== undefined) {
    await takeName(session, options.applicationName).catch(async (error: unknown) => {
      await session.close();
      throw error;
    });
  }
  return session;
}

async function takeName(session: Session, applicationName: string): Promise<void> {
  for (let index = 0; index < MOST_SESSIONS; index++) {
    const name = quoteLiteral(lockName(applicationName, index));
    const [taken] = await session.rows<{ ok: number }>(`SELECT GET_LOCK(${name}, 0) AS ok`);
    if (taken?.ok === 1) return;
  }
}

/** Opens a session for `work` and closes it. Throws the signal's reason when it aborts. */
export async function withSession<T>(
  flavour: Flavour,
  access: Access,
  options: SessionOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(flavour, access, options);
  try {
    return await work(session);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    await session.close();
  }
}
