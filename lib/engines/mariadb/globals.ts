import { Readable } from "node:stream";
import type { RestoreResult, WorkContext } from "../engine.ts";
import type { Session } from "./connect.ts";
import { isConnectionLost, isDenied, numberOf, sentenceOf } from "./connect-errors.ts";
import { escapePattern, quoteAccount, quoteIdentifier, quoteLiteral } from "./quote.ts";

const CANNOT_CREATE_USER = 1396;
/** Every server of the kind has them, or makes them for itself. */
const OWN_ACCOUNTS = [
  "",
  "root",
  "mysql",
  "mariadb.sys",
  "mysql.sys",
  "mysql.session",
  "mysql.infoschema",
  "debian-sys-maint",
  "PUBLIC",
];

const HEAD =
  "-- Accounts and grants of the server, by Holdfast. Accounts that are there already stay as they are:";
const BLOCK = "-- account ";

type Skipped = RestoreResult["skipped"];

/** Accounts, roles and grants as SQL that the stock client runs; reads them when the stream is opened. */
export function openGlobals(
  open: () => Promise<Session>,
  database: string,
  work: Pick<WorkContext, "log">,
): { stream: Readable; done: Promise<void> } {
  const read = async (): Promise<string> => {
    const session = await open();
    try {
      return await readGlobals(session, database, work);
    } finally {
      await session.close();
    }
  };
  const text = read();
  const stream = Readable.from(
    (async function* () {
      yield Buffer.from(await text);
    })(),
    { objectMode: false },
  );
  stream.on("error", () => undefined);
  const done = text.then(() => undefined);
  done.catch(() => undefined);
  return { stream, done };
}

async function readGlobals(
  session: Session,
  database: string,
  work: Pick<WorkContext, "log">,
): Promise<string> {
  const lines = [HEAD, "-- run with: mariadb --force (or mysql --force)"];
  let accounts: { user: string; host: string; role: string }[];
  try {
    accounts = await session.rows(
      `SELECT User AS user, Host AS host, ${session.flavour.roleColumn} AS role FROM mysql.user
       WHERE User NOT IN (${OWN_ACCOUNTS.map(quoteLiteral).join(", ")}) ORDER BY 3 DESC, 1, 2`,
    );
  } catch (error) {
    if (!isDenied(error)) throw error;
    work.log("Accounts are not saved: this user may not read mysql.user.", "warn");
    return `${[...lines, `-- This user may not read mysql.user: no accounts of ${quoteIdentifier(database)} were saved.`].join("\n")}\n`;
  }
  for (const { user, host, role } of accounts) {
    const isRole = role === "Y";
    const name = isRole ? quoteIdentifier(user) : quoteAccount(user, host);
    lines.push("", `${BLOCK}${name}`);
    const created = isRole ? [`CREATE ROLE ${name}`] : await texts(session, `SHOW CREATE USER ${name}`);
    const grants = await texts(session, `SHOW GRANTS FOR ${name}`);
    for (const sql of [...created, ...grants]) lines.push(`${sql.replaceAll("\n", " ")};`);
  }
  return `${lines.join("\n")}\n`;
}

/** First column of every row. An account that was dropped meanwhile has none. */
async function texts(session: Session, sql: string): Promise<string[]> {
  const rows = await session.rows<Record<string, string>>(sql).catch((error: unknown) => {
    if (isConnectionLost(error)) throw error;
    return [];
  });
  return rows.map((row) => String(Object.values(row)[0]));
}

/** Grants on objects of the database, which are not there before it is restored. */
export interface PendingGrants {
  statements: string[];
  skipped: Skipped;
}

/**
 * Makes the accounts of a globals artefact that the server does not have, with what they may do on whole databases:
 * definers need it when their code is made. Those that the server has stay as they are, with passwords and grants.
 */
export async function applyAccounts(session: Session, sql: string): Promise<PendingGrants> {
  const skipped: Skipped = [];
  const grants: string[] = [];
  for (const block of sql.split(`\n${BLOCK}`).slice(1)) {
    const [name = "", ...lines] = block.split("\n");
    const statements = lines.filter((line) => line.endsWith(";")).map((line) => line.slice(0, -1));
    const create = statements.find((line) => /^CREATE (USER|ROLE) /.test(line));
    if (create === undefined) continue;
    try {
      await session.run(create);
      grants.push(...statements.filter((line) => line.startsWith("GRANT ")));
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      if (numberOf(error) !== CANNOT_CREATE_USER) {
        skipped.push({ object: `account ${name}`, reason: sentenceOf(error) });
      }
    }
  }
  const wide = / ON (?:\*\.\*|`(?:[^`]|``)*`\.\*) TO /;
  const isMembership = (statement: string) => !/ ON /.test(statement);
  for (const statement of grants.filter((one) => wide.test(one) || isMembership(one))) {
    await grant(session, statement, skipped);
  }
  return { statements: grants.filter((one) => !wide.test(one) && !isMembership(one)), skipped };
}

/** Grants on objects of this database; those of other databases are not here. */
export async function applyGrants(
  session: Session,
  pending: PendingGrants,
  database: string,
): Promise<Skipped> {
  const own = escapePattern(quoteIdentifier(database));
  const narrow = new RegExp(` ON (?:(?:PROCEDURE|FUNCTION|PACKAGE|PACKAGE BODY) )?${own}\\.\``);
  const skipped = [...pending.skipped];
  for (const statement of pending.statements.filter((one) => narrow.test(one))) {
    await grant(session, statement, skipped);
  }
  return skipped;
}

async function grant(session: Session, statement: string, skipped: Skipped): Promise<void> {
  try {
    await session.run(statement);
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    const to = / TO (.+?)(?: IDENTIFIED| WITH| REQUIRE|$)/.exec(statement)?.[1] ?? "an account";
    skipped.push({ object: `a grant to ${to}`, reason: sentenceOf(error) });
  }
}
