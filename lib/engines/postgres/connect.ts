import type { ConnectionOptions } from "node:tls";
import type { ClientConfig } from "pg";
import { Client } from "pg";
import type { PostgresConnection } from "../../databases/schema.ts";
import { messageOf } from "../../errors.ts";
import { guardedSocket } from "../../network/guarded-lookup.ts";
import type { Access } from "../engine.ts";
import { connectError } from "./connect-errors.ts";
import { parseConnection } from "./connection.ts";

const CONNECT_TIMEOUT_MS = 15_000;
/** Longest wait for an answer that only tidies up. */
const GOODBYE_MS = 5_000;

/** A client whose end() waits for the server's goodbye for a while only: a network may have gone silent. */
class PatientClient extends Client {
  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | undefined {
    const hangUp = setTimeout(() => this.connection.stream.destroy(), GOODBYE_MS);
    const ended = super.end().finally(() => clearTimeout(hangUp));
    if (!callback) return ended;
    ended.then(() => undefined, callback);
    return undefined;
  }
}

export interface SessionOptions {
  /** `connect`: gives up connecting. `openSession`: ends the session, too, and what it is running on the server. */
  signal?: AbortSignal | undefined;
  /** Shown in the server's session list. */
  applicationName?: string | undefined;
}

/** One connection; queries through `client`. Close it always. */
export interface PgSession {
  client: Client;
  /** Process id of its backend on the server. */
  pid: number;
  /** Settles with the reason when the connection is lost without close(); stays open otherwise. */
  lost: Promise<Error>;
  close(): Promise<void>;
}

function tlsOptions(to: PostgresConnection): ConnectionOptions | false {
  // PostgreSQL has no TLS on unix sockets.
  if (to.host.startsWith("/") || to.tls === "disable") return false;
  const ca = to.ca === undefined ? {} : { ca: to.ca };
  switch (to.tls) {
    case "prefer":
      return { rejectUnauthorized: false };
    case "require":
      // As libpq: with an authority given, the certificate is checked against it.
      return to.ca === undefined
        ? { rejectUnauthorized: false }
        : { ...ca, checkServerIdentity: () => undefined };
    case "verify-ca":
      return { ...ca, checkServerIdentity: () => undefined };
    case "verify-full":
      return ca;
  }
}

async function connectOnce(config: ClientConfig, signal: AbortSignal | undefined): Promise<Client> {
  signal?.throwIfAborted();
  const client = new PatientClient(config);
  // Without a listener a connection lost between two queries would end this process.
  client.on("error", () => undefined);
  const onAbort = () => client.connection.stream.destroy();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await client.connect();
    signal?.throwIfAborted();
    return client;
  } catch (error) {
    client.connection.stream.destroy();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Connects; throws a HoldfastError that says why it failed and what to do, or the signal's reason. */
export async function connect(access: Access, options: SessionOptions = {}): Promise<Client> {
  const to = parseConnection(access.connection);
  const ssl = tlsOptions(to);
  const config: ClientConfig = {
    host: to.host,
    port: to.port,
    database: to.database,
    user: to.user,
    password: access.password ?? "",
    ssl,
    application_name: (options.applicationName ?? "holdfast").slice(0, 63),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    // Sockets of this machine have no address to judge.
    ...(to.host.startsWith("/") ? {} : { stream: () => guardedSocket() }),
  };
  try {
    return await connectOnce(config, options.signal);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const withoutTls =
      ssl !== false && to.tls === "prefer" && /SSL|TLS|no encryption/i.test(messageOf(error));
    if (!withoutTls) throw connectError(error, to);
  }
  try {
    return await connectOnce({ ...config, ssl: false }, options.signal);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw connectError(error, to);
  }
}

/** Ends one backend from a connection of its own; the same role may always do that. */
async function terminate(access: Access, pid: number): Promise<void> {
  const client = await connect(access);
  const hangUp = setTimeout(() => client.connection.stream.destroy(), GOODBYE_MS);
  try {
    await client.query("SELECT pg_terminate_backend($1)", [pid]);
  } finally {
    clearTimeout(hangUp);
    await client.end();
  }
}

/** Behind a pooler this is the first statement that needs a server, and may wait for one without end. */
async function backendOf(client: Client, signal: AbortSignal | undefined): Promise<number> {
  const hangUp = () => client.connection.stream.destroy();
  signal?.addEventListener("abort", hangUp, { once: true });
  try {
    signal?.throwIfAborted();
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    return rows[0]?.pid ?? 0;
  } catch (error) {
    await client.end().catch(() => undefined);
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", hangUp);
  }
}

/** A connection that is ended on the server, too, when the signal aborts. */
export async function openSession(access: Access, options: SessionOptions): Promise<PgSession> {
  const client = await connect(access, options);
  let closing = false;
  const lost = new Promise<Error>((resolve) => {
    client.on("error", (error) => closing || resolve(error));
    client.on("end", () => closing || resolve(new Error("The server closed the connection.")));
  });
  const pid = await backendOf(client, options.signal);
  let ended: Promise<unknown> | undefined;
  const onAbort = () => {
    closing = true;
    // The server notices a closed socket only when it next writes, so a long query is ended by name.
    ended = terminate(access, pid)
      .catch(() => undefined)
      .finally(() => client.connection.stream.destroy());
  };
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  return {
    client,
    pid,
    lost,
    async close() {
      closing = true;
      options.signal?.removeEventListener("abort", onAbort);
      await (ended ?? client.end().catch(() => undefined));
    },
  };
}

/**
 * Runs `work` in a read-only transaction of its own session, with settings of which no trace stays behind,
 * a pooler in between or not. Throws the signal's reason when it aborts.
 */
export async function inReadOnly<T>(
  access: Access,
  options: SessionOptions & { timeoutMs?: number },
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const session = await openSession(access, options);
  try {
    await session.client.query("BEGIN READ ONLY");
    await session.client.query(`SET LOCAL statement_timeout = ${options.timeoutMs ?? 30_000}`);
    const result = await work(session.client);
    await session.client.query("COMMIT");
    return result;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    await session.close();
  }
}
