import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { Access, WorkContext } from "../engine.ts";
import { localeClause } from "./collation.ts";
import { connect } from "./connect.ts";
import { codeOf } from "./connect-errors.ts";
import { parseConnection } from "./connection.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";
import { listSessions } from "./sessions.ts";

const DUPLICATE_DATABASE = "42P04";
const OBJECT_IN_USE = "55006";
const NO_PRIVILEGE = "42501";
const MAX_NAME_BYTES = 63;
const OWN_SESSIONS_MS = 10_000;
/** Less than an orphaned transfer has before it is ended. */
const REOPEN_MS = 6_000;

/** The same server and user, another database. */
export function accessTo(on: Access, database: string): Access {
  return { ...on, connection: { ...on.connection, database } };
}

/** Connects to a database of the server that is none of those to be changed. */
async function connectBeside(on: Access, avoid: readonly string[], work: WorkContext): Promise<Client> {
  const own = parseConnection(on.connection).database;
  const candidates = [own, "postgres", "template1"].filter((name) => !avoid.includes(name));
  let last: unknown;
  for (const name of candidates) {
    try {
      return await connect(accessTo(on, name), {
        signal: work.signal,
        applicationName: work.applicationName,
      });
    } catch (error) {
      work.signal.throwIfAborted();
      last = error;
    }
  }
  throw last;
}

function assertName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes > 0 && bytes <= MAX_NAME_BYTES && !name.includes("\0")) return;
  throw new HoldfastError(
    "invalid",
    `A database's name has 1 to ${MAX_NAME_BYTES} bytes; this one has ${bytes}.`,
    {
      fields: { name: `Use 1 to ${MAX_NAME_BYTES} bytes.` },
    },
  );
}

function explained(error: unknown, what: string): unknown {
  if (codeOf(error) === NO_PRIVILEGE) {
    return new HoldfastError("refused", `This user may not ${what}: ${messageOf(error)}.`, {
      remedy: "Connect as a user with CREATEDB that owns the database, or as a superuser.",
      cause: error,
    });
  }
  return error;
}

function taken(name: string, cause?: unknown): HoldfastError {
  return new HoldfastError("conflict", `There is a database ${name} on this server already.`, {
    remedy: "Choose another name.",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Throws `conflict` when there is a database of this name. */
export async function assertFree(on: Access, name: string, work: WorkContext): Promise<void> {
  assertName(name);
  const client = await connectBeside(on, [name], work);
  try {
    const { rowCount } = await client.query("SELECT FROM pg_catalog.pg_database WHERE datname = $1", [name]);
    if (rowCount) throw taken(name);
  } finally {
    await client.end();
  }
}

/** Makes an empty database with the encoding and collation of another; throws `conflict` if it exists. */
export async function createDatabase(
  on: Access,
  name: string,
  like: { encoding: string | null; collation: string | null },
  work: WorkContext,
): Promise<Access> {
  assertName(name);
  const client = await connectBeside(on, [name], work);
  const encoding = like.encoding === null ? "" : ` ENCODING ${quoteLiteral(like.encoding)}`;
  const locale = like.collation === null ? "" : ` ${localeClause(like.collation)}`;
  try {
    await client.query(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0${encoding}${locale}`);
    return accessTo(on, name);
  } catch (error) {
    if (codeOf(error) === DUPLICATE_DATABASE) throw taken(name, error);
    if (/locale|collation|encoding|ICU/i.test(messageOf(error))) {
      throw new HoldfastError(
        "unavailable",
        `The server can't make a database with encoding ${like.encoding} and collation ${like.collation}: ${messageOf(error)}.`,
        { remedy: "Install that locale on the server's machine, then try again.", cause: error },
      );
    }
    throw explained(error, "create databases");
  } finally {
    await client.end();
  }
}

/** Drops a database, if it exists. Sessions of others in it are not ended: they make it a `conflict`. */
export async function dropDatabase(on: Access, name: string, work: WorkContext): Promise<void> {
  const client = await connectBeside(on, [name], work);
  try {
    await withoutOwn(client, name, `DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`, work);
  } catch (error) {
    throw explained(error, `drop database ${name}`);
  } finally {
    await client.end();
  }
}

/** Gives a finished database its name. Sessions of others in it make it a `conflict`, and so does a taken name. */
export async function renameDatabase(
  on: Access,
  from: string,
  to: string,
  work: WorkContext,
): Promise<Access> {
  assertName(to);
  const client = await connectBeside(on, [from, to], work);
  const sql = `ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`;
  try {
    await withoutOwn(client, from, sql, work);
    return accessTo(on, to);
  } catch (error) {
    throw codeOf(error) === DUPLICATE_DATABASE
      ? taken(to, error)
      : explained(error, `rename database ${from}`);
  } finally {
    await client.end();
  }
}

/** Runs a statement that nobody may be connected for, as soon as this operation's own sessions have ended. */
async function withoutOwn(client: Client, name: string, sql: string, work: WorkContext): Promise<void> {
  const until = performance.now() + OWN_SESSIONS_MS;
  for (;;) {
    await endOwn(client, name, work);
    try {
      await client.query(sql);
      return;
    } catch (error) {
      if (codeOf(error) !== OBJECT_IN_USE) throw error;
      const { count, text } = await listSessions(client, name);
      if (count > 0 || performance.now() > until) throw inUse(name, text, error);
      await delay(100);
    }
  }
}

/** What is left of this operation's own sessions in a database, after an abort for example. */
async function endOwn(client: Client, database: string, work: WorkContext): Promise<void> {
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND application_name = $2 AND pid <> pg_catalog.pg_backend_pid()`,
    [database, work.applicationName.slice(0, 63)],
  );
}

function inUse(name: string, who: string, cause?: unknown): HoldfastError {
  return new HoldfastError("conflict", `Database ${name} is in use${who === "" ? "" : `: ${who}`}.`, {
    remedy: "Stop the applications that use it, or ask for their sessions to be ended.",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** "shop_before_20260102030405", shortened so that it fits. */
function oldNameOf(name: string): string {
  const stamp = new Date().toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const ending = `_before_${stamp}`;
  let kept = name;
  while (Buffer.byteLength(kept) + ending.length > MAX_NAME_BYTES) kept = [...kept].slice(0, -1).join("");
  return `${kept}${ending}`;
}

/**
 * Puts database `from` in the place of `to`, which gets a new name that is returned. Both renames happen in
 * one transaction. Other sessions in either are ended if `endSessions`, and make it a `conflict` if not.
 */
export async function swapDatabase(
  on: Access,
  from: string,
  to: string,
  endSessions: boolean,
  work: WorkContext,
): Promise<{ oldName: string }> {
  const client = await connectBeside(on, [from, to], work);
  const oldName = oldNameOf(to);
  try {
    await assertExists(client, [from, to]);
    for (const name of [from, to]) await endOwn(client, name, work);
    const before = await listSessions(client, to);
    if (before.count > 0 && !endSessions) throw inUse(to, before.text);
    const { rows } = await client.query<{ allowed: boolean }>(
      "SELECT datallowconn AS allowed FROM pg_catalog.pg_database WHERE datname = $1",
      [to],
    );
    const reopen = endSessions && rows[0]?.allowed === true;
    // An application that connects again at once would be in the way of the rename.
    if (reopen) await client.query(`ALTER DATABASE ${quoteIdentifier(to)} ALLOW_CONNECTIONS false`);
    try {
      if (endSessions) await endAll(client, to, work);
      await rename(client, [
        [to, oldName],
        [from, to],
      ]);
    } catch (error) {
      if (reopen) await letIn(on, to, [from, to], work, error);
      throw error;
    }
    // The swap is done: what is only about the old one must not make it a failure.
    if (reopen) {
      await client
        .query(`ALTER DATABASE ${quoteIdentifier(oldName)} ALLOW_CONNECTIONS true`)
        .catch((error) => {
          work.log(`${oldName} lets nobody connect: ${messageOf(error)}`, "warn");
        });
    }
    return { oldName };
  } catch (error) {
    if (codeOf(error) === OBJECT_IN_USE) {
      const { text } = await listSessions(client, to);
      throw inUse(to, text, error);
    }
    throw explained(error, `rename database ${to}`);
  } finally {
    await client.end();
  }
}

/** Takes back that nobody may connect, over a new connection: the one before may be what failed. */
async function letIn(
  on: Access,
  name: string,
  avoid: readonly string[],
  work: WorkContext,
  cause: unknown,
): Promise<void> {
  const sql = `ALTER DATABASE ${quoteIdentifier(name)} ALLOW_CONNECTIONS true`;
  const until = performance.now() + REOPEN_MS;
  for (;;) {
    try {
      const client = await connectBeside(on, avoid, { ...work, signal: AbortSignal.timeout(REOPEN_MS) });
      await client.query(sql).finally(() => client.end().catch(() => undefined));
      return;
    } catch (error) {
      if (performance.now() > until) {
        const message = `${name} was left as it is, but lets nobody connect: ${messageOf(error)}.`;
        throw new HoldfastError("unavailable", message, { remedy: `Run on its server: ${sql}`, cause });
      }
      await delay(250);
    }
  }
}

async function assertExists(client: Client, names: string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT datname AS name FROM pg_catalog.pg_database WHERE datname = ANY($1)",
    [names],
  );
  const missing = names.filter((name) => !rows.some((row) => row.name === name));
  if (missing.length === 0) return;
  throw new HoldfastError("not_found", `There is no database ${missing.join(", ")} on this server.`);
}

async function endAll(client: Client, database: string, work: WorkContext): Promise<void> {
  const { count, text } = await listSessions(client, database);
  if (count === 0) return;
  work.log(`Ending ${count} sessions in ${database}: ${text}`, "warn");
  await client.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
     WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid()`,
    [database],
  );
}

async function rename(client: Client, steps: [string, string][]): Promise<void> {
  await client.query("BEGIN");
  try {
    for (const [name, next] of steps) {
      await client.query(`ALTER DATABASE ${quoteIdentifier(name)} RENAME TO ${quoteIdentifier(next)}`);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}
