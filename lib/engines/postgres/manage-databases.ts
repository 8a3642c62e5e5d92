import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { Access, WorkContext } from "../engine.ts";
import { localeClause } from "./collation.ts";
import { accessTo, connectBeside } from "./connect-beside.ts";
import { codeOf } from "./connect-errors.ts";
import { explained, inUse, taken } from "./manage-errors.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";
import { endOwnSessions, listSessions } from "./sessions.ts";

const DUPLICATE_DATABASE = "42P04";
export const OBJECT_IN_USE = "55006";
/** Longest name of a database (NAMEDATALEN). */
export const MAX_NAME_BYTES = 63;
const OWN_SESSIONS_MS = 10_000;

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
    await endOwnSessions(client, name, work.applicationName);
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
