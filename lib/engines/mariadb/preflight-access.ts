import type { EngineFinding } from "../engine.ts";
import type { Session } from "./connect.ts";
import { isDenied } from "./connect-errors.ts";
import { readDefinitions } from "./definitions.ts";
import type { Rights } from "./rights.ts";
import { grantOf, grantOfRoutines, mayEverywhere, mayHere, maySeeRoutines, NEEDED } from "./rights.ts";

const SHOWN = 10;

export function some(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}

export function findGrants(rights: Rights, database: string): EngineFinding {
  const missing = NEEDED.filter((right) => !mayHere(rights, right));
  const finding = {
    id: "read-access",
    title: "Read access to the whole database",
    why: "The server hides tables, triggers and events from users without these grants, and a dump leaves them out without a word.",
  };
  if (missing.length === 0) {
    return { ...finding, state: "ok", detail: `${rights.account} has ${NEEDED.join(", ")} on all of it.` };
  }
  const detail = `Missing on all of ${database}: ${missing.join(", ")}.`;
  return { ...finding, state: "problem", detail, sql: grantOf(rights, missing, database) };
}

export function findMoment(rights: Rights, database: string): EngineFinding {
  const finding = {
    id: "moment",
    title: "One moment for dump and fingerprint",
    why: "Both begin while others are kept from writing, for some milliseconds; without that, a backup can't be proven.",
  };
  const lock = mayHere(rights, "LOCK TABLES");
  if (mayEverywhere(rights, "RELOAD")) {
    if (lock) return { ...finding, state: "ok", detail: "By FLUSH TABLES WITH READ LOCK." };
    const detail =
      "By FLUSH TABLES WITH READ LOCK; tables without transactions can't be kept still, and are not compared.";
    return { ...finding, state: "warning", detail, sql: grantOf(rights, ["LOCK TABLES"], database) };
  }
  if (lock) {
    return {
      ...finding,
      state: "ok",
      detail: "By LOCK TABLES on the database's tables, which waits for open transactions.",
    };
  }
  const sql = `${grantOf(rights, ["LOCK TABLES"], database)}\n-- or, shorter for others: GRANT RELOAD ON *.* TO ${rights.account};`;
  return { ...finding, state: "problem", detail: "This user may neither FLUSH TABLES nor LOCK TABLES.", sql };
}

export async function findRoutines(session: Session, rights: Rights): Promise<EngineFinding> {
  const finding = {
    id: "routines",
    title: "Stored procedures and functions",
    why: "The server hides those of others from users without this grant, and a dump leaves them out without a word.",
  };
  if (!(await maySeeRoutines(session, rights))) {
    const detail = "This user sees its own ones only.";
    return { ...finding, state: "problem", detail, sql: grantOfRoutines(session, rights) };
  }
  const { definitions, hidden } = await readDefinitions(session, [
    "PACKAGE",
    "PACKAGE BODY",
    "FUNCTION",
    "PROCEDURE",
  ]);
  if (hidden.length > 0) {
    return {
      ...finding,
      state: "problem",
      detail: `Not readable: ${some(hidden)}.`,
      sql: grantOfRoutines(session, rights),
    };
  }
  const detail = definitions.length === 0 ? "There are none." : `All ${definitions.length} are readable.`;
  return { ...finding, state: "ok", detail };
}

export async function findAccounts(session: Session, rights: Rights): Promise<EngineFinding> {
  const finding = {
    id: "accounts",
    title: "Accounts and grants",
    why: "They belong to the server and are saved beside the dump, in globals.sql.",
  };
  try {
    await session.rows("SELECT User FROM mysql.user LIMIT 1");
    return { ...finding, state: "ok", detail: "Accounts are saved with their password hashes and grants." };
  } catch (error) {
    if (!isDenied(error)) throw error;
    const detail = "Accounts are not saved: this user may not read mysql.user.";
    return { ...finding, state: "warning", detail, sql: `GRANT SELECT ON mysql.* TO ${rights.account};` };
  }
}
