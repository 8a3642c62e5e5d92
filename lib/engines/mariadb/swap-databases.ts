import { createHash } from "node:crypto";
import { HoldfastError } from "../../errors.ts";
import type { Access, SettledSwap, Swap, WorkContext } from "../engine.ts";
import { createCode, dropCode, inDb, moves, readCode, tableNames } from "./code.ts";
import type { Session } from "./connect.ts";
import { sentenceOf } from "./connect-errors.ts";
import type { Definition } from "./definitions.ts";
import type { Flavour } from "./flavour.ts";
import { goBackScript } from "./go-back.ts";
import { createLike, exists, MAX_NAME, onServer } from "./manage-databases.ts";
import { explained, inUse } from "./manage-errors.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";
import { maySetDefiner } from "./rights.ts";
import { endAllOwnSessions, endOthers, requireSight, sessionsIn } from "./sessions.ts";
import { findDefiner } from "./statements.ts";

/** The journal of a swap, in the database that is kept: it is renamed by the same statement as all tables. */
const PENDING = "holdfast_swap_pending";
const DONE = "holdfast_swap_done";
/** Tables whose age is remembered to know a database again. */
const REMEMBERED = 40;

type Journal = Record<"from" | "to", Definition[]>;

/** "shop_before_20260102030405", shortened so that it fits. */
export function nameWith(name: string, word: string, stamp: string): string {
  const ending = `_${word}_${stamp}`;
  return `${[...name].slice(0, MAX_NAME - ending.length).join("")}${ending}`;
}

/** Tables with the moment they were made: another database under the same name has none of these. */
async function marksOf(session: Session, database: string): Promise<string[]> {
  const rows = await session.rows<{ mark: string }>(
    `SELECT CONCAT(TABLE_NAME, ' ', COALESCE(CREATE_TIME, '')) AS mark FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ${quoteLiteral(database)} AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME LIMIT ${REMEMBERED}`,
  );
  return rows.map(({ mark }) => createHash("sha256").update(mark).digest("hex").slice(0, 12));
}

/** Before these versions a crash within RENAME TABLE leaves some tables moved and others not. */
async function requireSafeRename(session: Session): Promise<void> {
  const [row] = await session.rows<{ version: string }>("SELECT VERSION() AS version");
  const version = row?.version ?? "";
  if (renamesAtOnce(session.flavour, version)) return;
  throw new HoldfastError(
    "refused",
    `${session.flavour.label} ${version} can't move several tables at once so that a crash leaves all or none moved.`,
    { remedy: "Restore into a new database; or update the server to MariaDB 10.6 or MySQL 8.0." },
  );
}

/** Whether a RENAME TABLE of many tables survives a crash of the server: MariaDB 10.6, MySQL 8.0. */
export function renamesAtOnce({ kind }: Flavour, version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return kind === "mysql" ? major >= 8 : major > 10 || (major === 10 && minor >= 6);
}

/** Foreign keys of other databases would follow the replaced tables. */
async function requireNoForeignKeys(session: Session, to: string): Promise<void> {
  const rows = await session.rows<{ name: string }>(
    `SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.KEY_COLUMN_USAGE
     WHERE REFERENCED_TABLE_SCHEMA = ${quoteLiteral(to)} AND TABLE_SCHEMA <> ${quoteLiteral(to)} LIMIT 3`,
  );
  if (rows.length === 0) return;
  throw new HoldfastError(
    "refused",
    `Foreign keys of other databases point into ${to}, and would follow the tables that are replaced: ${rows.map(({ name }) => name).join(", ")}.`,
    { remedy: "Drop these foreign keys first, or restore into a new database." },
  );
}

/**
 * What a swap is going to do. Changes nothing; throws `not_found` when one of the two is not there, `refused` when
 * this user could not see who else uses them.
 */
export async function planSwap(
  flavour: Flavour,
  on: Access,
  from: string,
  to: string,
  work: WorkContext,
): Promise<Swap> {
  return await onServer(flavour, on, work, async (session) => {
    for (const name of [from, to]) {
      if (await exists(session, name)) continue;
      throw new HoldfastError("not_found", `There is no database ${name} on this server.`);
    }
    await requireSight(session, to);
    await requireSafeRename(session);
    await requireNoForeignKeys(session, to);
    const stamp = new Date().toISOString().replace(/[-:T]/g, "").slice(0, 14);
    const side = async (name: string) => ({ name, id: (await marksOf(session, name)).join(",") });
    // Nobody can be kept out of a database of these servers.
    return {
      from: await side(from),
      to: await side(to),
      oldName: nameWith(to, "before", stamp),
      closes: false,
    };
  });
}

/**
 * Puts the new database in the place of the other, as planned. All tables change places in one RENAME TABLE; views,
 * triggers, routines and events, which can't be renamed, are written down first and made anew after it. Sessions in
 * the one replaced are ended if `endSessions`, and make it a `conflict` otherwise.
 */
export async function swapDatabase(
  flavour: Flavour,
  on: Access,
  swap: Swap,
  endSessions: boolean,
  work: WorkContext,
): Promise<void> {
  const { from, to, oldName } = swap;
  await onServer(flavour, on, work, async (session) => {
    try {
      await assertAsPlanned(session, swap);
      const others = await sessionsIn(session, to.name);
      if (others.ids.length > 0 && !endSessions) throw inUse(to.name, others.text);
      const journal: Journal = {
        from: await readCode(session, from.name),
        to: await readCode(session, to.name),
      };
      await requireDefiners(session, journal);
      await createLike(session, oldName, to.name);
      await writeJournal(session, oldName, journal);
      if (endSessions) {
        if (others.ids.length > 0)
          work.log(`Ending ${others.ids.length} sessions in ${to.name}: ${others.text}`, "warn");
        await endOthers(session, to.name);
      }
      try {
        // A table can't go to another database with its triggers.
        for (const name of [from.name, to.name]) await dropCode(session, name, ["TRIGGER"]);
        await exchange(session, swap);
      } catch (error) {
        await takeBack(session, swap, journal).catch((left: unknown) =>
          work.log(`Taking the swap back failed: ${sentenceOf(left)}`, "error"),
        );
        throw error;
      }
      await finish(session, swap, journal);
    } catch (error) {
      throw explained(error, `move tables between ${from.name}, ${to.name} and ${oldName}`);
    }
  });
}

/** Code is made anew after the swap: whose definer this user may not set, it could not be. */
async function requireDefiners(session: Session, journal: Journal): Promise<void> {
  if (await maySetDefiner(session)) return;
  const [row] = await session.rows<{ name: string }>("SELECT CURRENT_USER() AS name");
  for (const { kind, name, sql } of [...journal.from, ...journal.to]) {
    const at = findDefiner(sql);
    const definer = at === null ? null : sql.slice(at.from, at.to).replace(/^DEFINER\s*=\s*/i, "");
    if (definer === null || definer.replaceAll(/[`"'\s]/g, "") === row?.name) continue;
    throw new HoldfastError(
      "refused",
      `This user may not make ${kind} ${name} again: its definer is ${definer}.`,
      {
        remedy: "Give it SET USER (MariaDB) or SET_ANY_DEFINER (MySQL), or restore into a new database.",
      },
    );
  }
}

async function assertAsPlanned(session: Session, { from, to, oldName }: Swap): Promise<void> {
  for (const { name, id } of [from, to]) {
    const planned = id === "" ? [] : id.split(",");
    const now = await marksOf(session, name);
    if ((await exists(session, name)) && planned.every((mark) => now.includes(mark))) continue;
    throw changed(name);
  }
  if (await exists(session, oldName)) throw changed(oldName);
}

function changed(name: string): HoldfastError {
  return new HoldfastError("conflict", `Database ${name} is not the one any more that it was a moment ago.`, {
    remedy: "Look who changes databases on this server, then try again.",
  });
}

async function writeJournal(session: Session, database: string, journal: Journal): Promise<void> {
  await session.run(
    `CREATE TABLE ${inDb(database, PENDING)} (journal LONGTEXT NOT NULL) CHARACTER SET utf8mb4 ENGINE=InnoDB`,
  );
  const hex = Buffer.from(JSON.stringify(journal), "utf8").toString("hex");
  await session.run(`INSERT INTO ${inDb(database, PENDING)} VALUES (CONVERT(0x${hex} USING utf8mb4))`);
}

async function readJournal(session: Session, database: string, table: string): Promise<Journal | null> {
  const [row] = await session.rows<{ journal: string }>(`SELECT journal FROM ${inDb(database, table)}`);
  return row ? (JSON.parse(row.journal) as Journal) : null;
}

/** The one moment at which the swap is done. */
async function exchange(session: Session, { from, to, oldName }: Swap): Promise<void> {
  const pairs = [
    ...moves(await tableNames(session, to.name), to.name, oldName),
    ...moves(await tableNames(session, from.name), from.name, to.name),
    `${inDb(oldName, PENDING)} TO ${inDb(oldName, DONE)}`,
  ];
  await session.run(`RENAME TABLE ${pairs.join(", ")}`);
}

/** Before that moment: triggers are made again on both sides, and the empty database goes. */
async function takeBack(
  session: Session,
  { from, to, oldName }: Swap,
  journal: Journal | null,
): Promise<void> {
  for (const [name, code] of [
    [from.name, journal?.from ?? []],
    [to.name, journal?.to ?? []],
  ] as const) {
    const triggers = code.filter(({ kind }) => kind === "TRIGGER");
    const there = (await readCode(session, name)).filter(({ kind }) => kind === "TRIGGER").length;
    if (there === triggers.length) continue;
    await dropCode(session, name, ["TRIGGER"]);
    await createCode(session, name, triggers);
  }
  const left = (await tableNames(session, oldName)).filter((name) => name !== PENDING);
  if (left.length === 0) await session.run(`DROP DATABASE ${quoteIdentifier(oldName)}`);
}

/** After it: code follows its tables. May be done again from any point. */
async function finish(session: Session, { from, to, oldName }: Swap, journal: Journal): Promise<void> {
  await dropCode(session, to.name);
  await dropCode(session, oldName);
  await createCode(session, to.name, journal.from);
  await createCode(session, oldName, journal.to);
  if ((await exists(session, from.name)) && (await tableNames(session, from.name)).length === 0) {
    await session.run(`DROP DATABASE ${quoteIdentifier(from.name)}`);
  }
  await session.run(`DROP TABLE ${inDb(oldName, DONE)}`);
}

/**
 * After a swap that may have broken off anywhere, once or many times: ends what is still at it; before its one
 * moment takes it back, after it brings it to its end; and says how far it came.
 */
export async function settleSwap(
  flavour: Flavour,
  on: Access,
  swap: Swap,
  work: WorkContext,
): Promise<SettledSwap> {
  const { from, oldName } = swap;
  return await onServer(flavour, on, work, async (session) => {
    await endAllOwnSessions(session, work.applicationName);
    const oldIsThere = await exists(session, oldName);
    const inOld = oldIsThere ? await tableNames(session, oldName) : [];
    if (inOld.includes(DONE)) {
      const journal = await readJournal(session, oldName, DONE);
      if (journal) await finish(session, swap, journal);
      return { done: true, kept: await keptOf(session, swap) };
    }
    if (inOld.includes(PENDING)) {
      await takeBack(session, swap, await readJournal(session, oldName, PENDING));
      return { done: false };
    }
    if (await exists(session, from.name)) {
      if (oldIsThere && inOld.length === 0 && (await readCode(session, oldName)).length === 0) {
        await session.run(`DROP DATABASE ${quoteIdentifier(oldName)}`);
      }
      return { done: false };
    }
    if (oldIsThere) return { done: true, kept: await keptOf(session, swap) };
    return (await isStill(session, swap)) ? { done: false } : { done: true, kept: null };
  });
}

/** Neither the new nor the kept one is there under its own name: is the replaced one still in its place? */
async function isStill(session: Session, { from, to }: Swap): Promise<boolean> {
  if (!(await exists(session, to.name))) return true;
  const now = await marksOf(session, to.name);
  if (to.id === "") return now.length === 0 && from.id !== "";
  return to.id.split(",").some((mark) => now.includes(mark));
}

async function keptOf(session: Session, swap: Swap) {
  const { oldName } = swap;
  return {
    name: oldName,
    goBack: await goBackScript(session, swap),
    drop: `DROP DATABASE ${quoteIdentifier(oldName)};`,
  };
}
