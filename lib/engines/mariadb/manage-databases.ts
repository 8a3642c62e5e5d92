import { HoldfastError } from "../../errors.ts";
import type { Access, WorkContext } from "../engine.ts";
import { createCode, dropCode, inDb, moves, readCode, tableNames } from "./code.ts";
import type { Session } from "./connect.ts";
import { withSession } from "./connect.ts";
import { numberOf, sentenceOf } from "./connect-errors.ts";
import { accessTo } from "./connection.ts";
import type { Flavour } from "./flavour.ts";
import { explained, inUse, taken } from "./manage-errors.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";
import { sessionsIn } from "./sessions.ts";
import { pinSettings } from "./snapshot.ts";

const DATABASE_EXISTS = 1007;
const UNKNOWN_COLLATION = [1115, 1253, 1273];
/** Longest name of a database, in characters. */
export const MAX_NAME = 64;
/** Longest wait for a table that others use. */
const LOCK_WAIT_S = 5;
/** In a database that is being given its name: gone when all of it is there. */
const UNFINISHED = "holdfast_unfinished_restore";

/** On the server alone: the database of the connection may be the one that is changed, or be gone. */
export async function onServer<T>(
  flavour: Flavour,
  on: Access,
  work: WorkContext,
  run: (session: Session) => Promise<T>,
): Promise<T> {
  const { signal, applicationName } = work;
  return await withSession(flavour, on, { signal, applicationName, noDatabase: true }, async (session) => {
    await pinSettings(session);
    // While a definition waits for its lock, all others wait behind it.
    await session.run(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_S}`);
    return await run(session);
  });
}

function assertName(name: string): void {
  const length = [...name].length;
  if (length > 0 && length <= MAX_NAME && !/\0|\s$/.test(name)) return;
  throw new HoldfastError(
    "invalid",
    `A database's name has 1 to ${MAX_NAME} characters, the last one no space; this one is "${name.slice(0, 80)}".`,
    { fields: { name: `Use 1 to ${MAX_NAME} characters.` } },
  );
}

export async function exists(session: Session, name: string): Promise<boolean> {
  const rows = await session.rows(
    `SELECT 1 AS one FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteLiteral(name)}`,
  );
  return rows.length > 0;
}

/** Throws `conflict` when there is a database of this name. */
export async function assertFree(
  flavour: Flavour,
  on: Access,
  name: string,
  work: WorkContext,
): Promise<void> {
  assertName(name);
  await onServer(flavour, on, work, async (session) => {
    if (await exists(session, name)) throw taken(name);
  });
}

/** Makes an empty database with the character set and collation of another; throws `conflict` if it exists. */
export async function createDatabase(
  flavour: Flavour,
  on: Access,
  name: string,
  like: { encoding: string | null; collation: string | null },
  work: WorkContext,
): Promise<Access> {
  assertName(name);
  await onServer(flavour, on, work, async (session) => await create(session, name, like));
  return accessTo(on, name);
}

export async function create(
  session: Session,
  name: string,
  like: { encoding: string | null; collation: string | null },
): Promise<void> {
  const encoding = like.encoding === null ? "" : ` CHARACTER SET ${quoteLiteral(like.encoding)}`;
  const collation = like.collation === null ? "" : ` COLLATE ${quoteLiteral(like.collation)}`;
  try {
    await session.run(`CREATE DATABASE ${quoteIdentifier(name)}${encoding}${collation}`);
  } catch (error) {
    if (numberOf(error) === DATABASE_EXISTS) throw taken(name, error);
    if (UNKNOWN_COLLATION.includes(numberOf(error))) {
      throw new HoldfastError(
        "unavailable",
        `The server can't make a database with character set ${like.encoding} and collation ${like.collation}: ${sentenceOf(error)}.`,
        {
          remedy: "Restore into a server of the same kind, and of the dumped version or newer.",
          cause: error,
        },
      );
    }
    throw explained(error, "create databases");
  }
}

/** Makes an empty database with the defaults of another one of this server. */
export async function createLike(session: Session, name: string, model: string): Promise<void> {
  const [like] = await session.rows<{ encoding: string; collation: string }>(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS encoding, DEFAULT_COLLATION_NAME AS collation
     FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteLiteral(model)}`,
  );
  if (!like) throw new HoldfastError("not_found", `There is no database ${model} on this server.`);
  await create(session, name, like);
}

/** Drops a database, if it exists. Sessions of others in it make it a `conflict`. */
export async function dropDatabase(
  flavour: Flavour,
  on: Access,
  name: string,
  work: WorkContext,
): Promise<void> {
  await onServer(flavour, on, work, async (session) => {
    const { ids, text } = await sessionsIn(session, name);
    if (ids.length > 0) throw inUse(name, text);
    await session.run(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`).catch((error: unknown) => {
      throw explained(error, `drop database ${name}`);
    });
  });
}

/**
 * Gives a finished database its name. These servers can't rename a database: another one is made, all tables are
 * moved to it by one RENAME TABLE, and views, triggers, routines and events are made anew there. Until all of it is
 * there the new one has a table that says so. Throws `conflict` when the name is taken.
 */
export async function renameDatabase(
  flavour: Flavour,
  on: Access,
  from: string,
  to: string,
  work: WorkContext,
): Promise<Access> {
  assertName(to);
  await onServer(flavour, on, work, async (session) => {
    const { ids, text } = await sessionsIn(session, from);
    if (ids.length > 0) throw inUse(from, text);
    try {
      const code = await readCode(session, from);
      await createLike(session, to, from);
      await session.run(`CREATE TABLE ${inDb(to, UNFINISHED)} (since TIMESTAMP DEFAULT CURRENT_TIMESTAMP)`);
      await dropCode(session, from);
      const names = await tableNames(session, from);
      if (names.length > 0) await session.run(`RENAME TABLE ${moves(names, from, to).join(", ")}`);
      await createCode(session, to, code);
      await session.run(`DROP TABLE ${inDb(to, UNFINISHED)}`);
      await session.run(`DROP DATABASE ${quoteIdentifier(from)}`);
    } catch (error) {
      throw explained(error, `make database ${to}`);
    }
  });
  return accessTo(on, to);
}
