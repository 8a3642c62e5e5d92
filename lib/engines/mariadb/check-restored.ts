import { HoldfastError } from "../../errors.ts";
import type { ProofCheck } from "../../proof/schema.ts";
import type { Access, WorkContext } from "../engine.ts";
import { listNames, listTables } from "./catalog.ts";
import type { Session } from "./connect.ts";
import { withSession } from "./connect.ts";
import { isConnectionLost, numberOf, sentenceOf } from "./connect-errors.ts";
import type { Flavour } from "./flavour.ts";
import { quoteIdentifier } from "./quote.ts";
import { pinSettings } from "./snapshot.ts";

const SHOWN = 5;
/** The account that a view belongs to is not on this server: so it was at the source, or accounts were not restored. */
const NO_SUCH_DEFINER = 1449;

/** Checks of a restored copy beyond its rows. Throws `unavailable` when the server stops them: then nothing is known. */
export async function checkRestored(
  flavour: Flavour,
  target: Access,
  work: WorkContext,
): Promise<ProofCheck[]> {
  const options = { signal: work.signal, applicationName: work.applicationName };
  return await withSession(flavour, target, options, async (session) => {
    try {
      await pinSettings(session);
      return [await checkTables(session, work), await checkForeignKeys(session), await checkViews(session)];
    } catch (error) {
      work.signal.throwIfAborted();
      if (!isConnectionLost(error) && numberOf(error) === 0) throw error;
      throw new HoldfastError("unavailable", `The server stopped the checks: ${sentenceOf(error)}.`, {
        cause: error,
      });
    }
  });
}

function some(names: string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.slice(0, SHOWN).join(", ")}${more}`;
}

/** CHECK TABLE reads every page of a table and its indexes, and compares their numbers of rows. */
async function checkTables(session: Session, work: WorkContext): Promise<ProofCheck> {
  const tables = await listTables(session);
  const bad: string[] = [];
  let checked = 0;
  for (const { name } of tables) {
    const said = await session.rows<{ Msg_type: string; Msg_text: string }>(
      `CHECK TABLE ${quoteIdentifier(name)}`,
    );
    const faults = said.filter((row) => /^(error|warning)$/i.test(row.Msg_type));
    if (said.some((row) => /doesn't support check/i.test(row.Msg_text))) continue;
    checked += 1;
    if (faults.length > 0) bad.push(`${name} (${faults.map((row) => row.Msg_text).join("; ")})`);
    work.progress({ label: "Check", done: checked, total: tables.length, unit: "tables" });
  }
  if (bad.length > 0)
    return { name: "tables", state: "failed", detail: `CHECK TABLE finds faults: ${some(bad)}` };
  return {
    name: "tables",
    state: "passed",
    detail: `CHECK TABLE finds no fault in ${checked} tables and their indexes`,
  };
}

/** A restore loads rows with foreign keys unchecked, in any order; rows without their parent came so from the source. */
async function checkForeignKeys(session: Session): Promise<ProofCheck> {
  const rows = await session.rows<Record<"name" | "child" | "parent" | "there", string | null>>(`
    SELECT r.CONSTRAINT_NAME AS name, r.TABLE_NAME AS child, r.REFERENCED_TABLE_NAME AS parent, t.TABLE_NAME AS there
    FROM information_schema.REFERENTIAL_CONSTRAINTS r
      LEFT JOIN information_schema.TABLES t
        ON t.TABLE_SCHEMA = r.UNIQUE_CONSTRAINT_SCHEMA AND t.TABLE_NAME = r.REFERENCED_TABLE_NAME
    WHERE r.CONSTRAINT_SCHEMA = DATABASE()`);
  const lost = rows.filter((row) => row.there === null);
  if (lost.length === 0) {
    return { name: "foreign keys", state: "passed", detail: `${rows.length} foreign keys have their tables` };
  }
  const detail = `without their table: ${some(lost.map((row) => `${row.child}.${row.name} (${row.parent})`))}`;
  return { name: "foreign keys", state: "failed", detail };
}

async function checkViews(session: Session): Promise<ProofCheck> {
  const views = await listNames(session, "VIEW");
  const bad: string[] = [];
  const orphans: string[] = [];
  for (const name of views) {
    try {
      await session.rows(`SELECT 1 FROM ${quoteIdentifier(name)} LIMIT 0`);
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      (numberOf(error) === NO_SUCH_DEFINER ? orphans : bad).push(`${name} (${sentenceOf(error)})`);
    }
  }
  if (bad.length > 0) return { name: "views", state: "failed", detail: `can't be opened: ${some(bad)}` };
  if (orphans.length > 0) {
    const detail = `their definer is not on this server, and so they were not opened: ${some(orphans)}`;
    return { name: "views", state: "not compared", detail };
  }
  return { name: "views", state: "passed", detail: `${views.length} views can be opened` };
}
