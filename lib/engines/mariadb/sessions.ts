import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError } from "../../errors.ts";
import type { Access } from "../engine.ts";
import type { Session } from "./connect.ts";
import { lockName, MOST_SESSIONS, withSession } from "./connect.ts";
import { numberOf } from "./connect-errors.ts";
import type { Flavour } from "./flavour.ts";
import { quoteLiteral } from "./quote.ts";
import { mayEverywhere, readRights } from "./rights.ts";

const NO_SUCH_THREAD = 1094;
const NOT_OWNER = 1095;
const ENDING_MS = 10_000;

/** Numbers of the sessions that work under this name, found by the locks that they hold. */
export async function ownSessions(session: Session, applicationName: string): Promise<number[]> {
  const columns = Array.from(
    { length: MOST_SESSIONS },
    (_one, index) => `IS_USED_LOCK(${quoteLiteral(lockName(applicationName, index))}) AS c${index}`,
  );
  const [row] = await session.rows<Record<string, number | null>>(`SELECT ${columns.join(", ")}`);
  return Object.values(row ?? {}).filter((id) => id !== null && id !== session.id) as number[];
}

async function kill(session: Session, ids: readonly number[]): Promise<void> {
  for (const id of ids) {
    await session.run(`KILL ${id}`).catch((error: unknown) => {
      if (numberOf(error) === NO_SUCH_THREAD) return;
      throw numberOf(error) === NOT_OWNER ? mayNotEnd(error) : error;
    });
  }
}

function mayNotEnd(cause: unknown): HoldfastError {
  return new HoldfastError("refused", "This user may not end sessions of other accounts.", {
    remedy: "Stop the applications, or GRANT CONNECTION ADMIN ON *.* (MySQL: CONNECTION_ADMIN) to it.",
    cause,
  });
}

/** Throws `refused` where sessions of other accounts are hidden from this user: it can't know whether it is alone. */
export async function requireSight(session: Session, database: string): Promise<void> {
  const rights = await readRights(session, database);
  if (mayEverywhere(rights, "PROCESS")) return;
  throw new HoldfastError("refused", `User ${rights.account} can't see who else uses database ${database}.`, {
    remedy: `Run on its server: GRANT PROCESS ON *.* TO ${rights.account};`,
  });
}

/** Ends the sessions that work under this name; returns how many. */
export async function endSessions(
  flavour: Flavour,
  access: Access,
  applicationName: string,
): Promise<number> {
  return await withSession(flavour, access, { noDatabase: true }, async (session) => {
    const ids = await ownSessions(session, applicationName);
    await kill(session, ids);
    return ids.length;
  });
}

/** Ends all of an operation's sessions but this one, and waits until they are gone: none of them changes anything any more. */
export async function endAllOwnSessions(session: Session, applicationName: string): Promise<void> {
  const until = performance.now() + ENDING_MS;
  for (;;) {
    const ids = await ownSessions(session, applicationName);
    if (ids.length === 0) return;
    await kill(session, ids);
    if (performance.now() > until) {
      throw new HoldfastError("unavailable", "Sessions that were told to end are still there on the server.");
    }
    await delay(100);
  }
}

export interface OtherSessions {
  ids: number[];
  /** "3 of billing@10.0.0.7" */
  text: string;
}

/**
 * Sessions of others that have this database as their own. Without the PROCESS privilege the server shows those of
 * the same account only.
 */
export async function sessionsIn(session: Session, database: string): Promise<OtherSessions> {
  const rows = await session.rows<{ id: number; who: string }>(
    `SELECT ID AS id, CONCAT(USER, '@', SUBSTRING_INDEX(HOST, ':', 1)) AS who FROM information_schema.PROCESSLIST
     WHERE DB = ${quoteLiteral(database)} AND ID <> CONNECTION_ID()`,
  );
  const counts = new Map<string, number>();
  for (const { who } of rows) counts.set(who, (counts.get(who) ?? 0) + 1);
  return {
    ids: rows.map((row) => row.id),
    text: [...counts].map(([who, n]) => `${n} of ${who}`).join(", "),
  };
}

/** Ends sessions and waits until they are gone. */
export async function endOthers(session: Session, database: string): Promise<void> {
  const until = performance.now() + ENDING_MS;
  for (;;) {
    const { ids } = await sessionsIn(session, database);
    if (ids.length === 0) return;
    await kill(session, ids);
    if (performance.now() > until) {
      throw new HoldfastError(
        "unavailable",
        `Sessions in ${database} that were told to end are still there.`,
      );
    }
    await delay(100);
  }
}
