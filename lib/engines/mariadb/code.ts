import { HoldfastError } from "../../errors.ts";
import type { Session } from "./connect.ts";
import { isConnectionLost, sentenceOf } from "./connect-errors.ts";
import type { Definition } from "./definitions.ts";
import { CODE_KINDS, readDefinitions } from "./definitions.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";

/** Runs work with a database as the session's own: definitions are written without its name then. */
export async function inDatabase<T>(session: Session, database: string, work: () => Promise<T>): Promise<T> {
  await session.run(`USE ${quoteIdentifier(database)}`);
  return await work();
}

/** Views, triggers, routines and events of a database. Throws `refused` where this user may not read one. */
export async function readCode(session: Session, database: string): Promise<Definition[]> {
  return await inDatabase(session, database, async () => {
    const { definitions, hidden } = await readDefinitions(session, CODE_KINDS);
    if (hidden.length === 0) return definitions;
    throw new HoldfastError(
      "refused",
      `This user may not read ${hidden.slice(0, 3).join(", ")} of ${database}.`,
      {
        remedy: "Connect as a user who may: SHOW_ROUTINE, or SELECT on mysql.proc.",
      },
    );
  });
}

/** Names of base tables and sequences. */
export async function tableNames(session: Session, database: string): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ${quoteLiteral(database)}
       AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

export const inDb = (database: string, name: string): string =>
  `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;

/** Pairs for RENAME TABLE. */
export function moves(names: readonly string[], from: string, to: string): string[] {
  return names.map((name) => `${inDb(from, name)} TO ${inDb(to, name)}`);
}

/** Drops code of these kinds; what is not there is passed over. */
export async function dropCode(
  session: Session,
  database: string,
  kinds: readonly Definition["kind"][] = CODE_KINDS,
): Promise<void> {
  const code = (await readCode(session, database)).filter(({ kind }) => kinds.includes(kind));
  for (const statement of dropStatements(database, code)) await session.run(statement);
}

/** Statements that drop code; a package takes its body along, and is known under Oracle's mode only. */
export function dropStatements(database: string, code: readonly Definition[]): string[] {
  return code.toReversed().flatMap(({ kind, name }) => {
    if (kind === "PACKAGE BODY") return [];
    const drop = `DROP ${kind} IF EXISTS ${inDb(database, name)}`;
    if (kind !== "PACKAGE") return [drop];
    return ["SET SESSION sql_mode = 'ORACLE'", drop, "SET SESSION sql_mode = ''"];
  });
}

/** Settings under which a definition is made again, as SET statements. */
export function settingsOf({ sql, sqlMode, client, connection, timeZone }: Definition): string[] {
  // Sent as UTF-8: under another client character set the server would read other characters.
  const readable = client !== null && (/^utf8/.test(client) || /^[\0-\x7f]*$/.test(sql));
  return [
    ...(sqlMode === null ? [] : [`SET SESSION sql_mode = ${quoteLiteral(sqlMode)}`]),
    ...(readable ? [`SET SESSION character_set_client = ${client}`] : []),
    ...(connection === null ? [] : [`SET SESSION collation_connection = ${connection}`]),
    ...(timeZone === null ? [] : [`SET SESSION time_zone = ${quoteLiteral(timeZone)}`]),
  ];
}

/**
 * Makes code in a database. Views that need others which are not there yet are tried again, as long as any of them
 * succeeds. Throws the first error that stays.
 */
export async function createCode(
  session: Session,
  database: string,
  code: readonly Definition[],
): Promise<void> {
  await inDatabase(session, database, async () => {
    let open = [...code];
    try {
      while (open.length > 0) {
        const failed: { definition: Definition; error: unknown }[] = [];
        for (const definition of open) {
          try {
            for (const setting of settingsOf(definition)) await session.run(setting);
            await session.run(definition.sql);
          } catch (error) {
            if (isConnectionLost(error)) throw error;
            failed.push({ definition, error });
          }
        }
        const [first] = failed;
        if (first && failed.length === open.length) throw cannotMake(database, first.definition, first.error);
        open = failed.map(({ definition }) => definition);
      }
    } finally {
      const reset = "SET SESSION sql_mode = '', time_zone = '+00:00'";
      await session.run("SET NAMES utf8mb4").catch(() => undefined);
      await session.run(reset).catch(() => undefined);
    }
  });
}

function cannotMake(database: string, { kind, name }: Definition, error: unknown): HoldfastError {
  return new HoldfastError("refused", `${kind} ${name} can't be made in ${database}: ${sentenceOf(error)}.`, {
    remedy: "Connect as a user who may make it, or correct it at the source.",
    cause: error,
  });
}
