import type { EngineFinding, ServerInfo } from "../engine.ts";
import type { TableInfo } from "./catalog.ts";
import { listNames } from "./catalog.ts";
import type { Session } from "./connect.ts";
import { isConnectionLost, isDenied, sentenceOf } from "./connect-errors.ts";
import { countFleetingEvents } from "./definitions.ts";
import { notComparable } from "./fingerprint.ts";
import { some } from "./preflight-access.ts";
import { quoteIdentifier } from "./quote.ts";
import { eventsOfOddName } from "./rights.ts";

const CLOCK_WARNING_S = 30;
const LONG_S = 3600;

export function findEngines(tables: readonly TableInfo[]): EngineFinding {
  const finding = {
    id: "engines",
    title: "Tables without transactions",
    why: "A snapshot does not hold their rows: they are locked against writing as long as a backup runs.",
  };
  const plain = tables.filter((table) => !table.transactional);
  if (plain.length === 0) {
    return { ...finding, state: "ok", detail: "There are none: no table is locked while a backup runs." };
  }
  const left = plain
    .filter((table) => notComparable(table) !== null)
    .map((table) => `${table.name} (${table.engine})`);
  const locked = plain.filter((table) => notComparable(table) === null);
  const parts = [
    locked.length > 0
      ? `Locked during a backup: ${some(locked.map((table) => `${table.name} (${table.engine})`))}.`
      : "",
    left.length > 0 ? `Not compared: ${some(left)}.` : "",
  ];
  const sql = locked
    .filter((table) => /^(MyISAM|Aria)$/i.test(table.engine))
    .map((table) => `ALTER TABLE ${quoteIdentifier(table.name)} ENGINE=InnoDB;`)
    .join("\n");
  return { ...finding, state: "warning", detail: parts.join(" ").trim(), ...(sql === "" ? {} : { sql }) };
}

export async function findViews(session: Session): Promise<EngineFinding> {
  const broken: string[] = [];
  const views = await listNames(session, "VIEW");
  for (const name of views) {
    try {
      await session.rows(`SHOW FIELDS FROM ${quoteIdentifier(name)}`);
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      broken.push(`${name} (${sentenceOf(error)})`);
    }
  }
  const finding = {
    id: "views",
    title: "Views",
    why: "The dump program stops at a view that can't be opened.",
  };
  if (broken.length > 0) return { ...finding, state: "problem", detail: `Can't be opened: ${some(broken)}.` };
  const detail = views.length === 0 ? "There are none." : `All ${views.length} can be opened.`;
  return { ...finding, state: "ok", detail };
}

/** Code runs with the rights of its definer; where there is no such account, it does not run at all. */
export async function findDefiners(session: Session): Promise<EngineFinding> {
  const finding = {
    id: "definers",
    title: "Definers",
    why: "Views, triggers, routines and events run as the account that is named in them.",
  };
  try {
    const rows = await session.rows<{ definer: string }>(`
      SELECT DISTINCT d.definer FROM (
        SELECT DEFINER AS definer FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()
        UNION SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()
        UNION SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()
        UNION SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()) d
      WHERE d.definer <> '' AND CONVERT(d.definer USING utf8mb4) COLLATE utf8mb4_bin NOT IN
        (SELECT CONVERT(CONCAT(User, '@', Host) USING utf8mb4) COLLATE utf8mb4_bin FROM mysql.user)`);
    if (rows.length === 0) return { ...finding, state: "ok", detail: "Every definer has an account." };
    const detail = `No account: ${some(rows.map((row) => row.definer))}. What names it can't be used, here and when restored.`;
    return { ...finding, state: "warning", detail };
  } catch (error) {
    if (!isDenied(error)) throw error;
    return { ...finding, state: "unknown", detail: "This user may not read mysql.user." };
  }
}

export async function findEvents(session: Session, database: string): Promise<EngineFinding> {
  const [row] = await session.rows<{ n: number }>(
    "SELECT COUNT(*) AS n FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()",
  );
  const n = row?.n ?? 0;
  if ((await eventsOfOddName(session, database)) > 0) {
    const detail = "The dump program can't dump events of a database whose name has quotes or backslashes.";
    const why = "It looks for them under an escaped name, and stops.";
    return { id: "events", title: "Events", state: "problem", detail, why };
  }
  const fleeting = await countFleetingEvents(session);
  const detail =
    n === 0 ? "There are none." : `${n} are backed up, ${fleeting} of them run once and are not compared.`;
  const why =
    "Events that are restored run there, too, where the server's event scheduler is on; in a sandbox it is off.";
  return { id: "events", title: "Events", state: "ok", detail, why };
}

export async function findLocks(session: Session): Promise<EngineFinding> {
  const rows = await session.rows<{ who: string; seconds: number; waits: number }>(
    `SELECT CONCAT(USER, '@', SUBSTRING_INDEX(HOST, ':', 1)) AS who, TIME AS seconds,
       STATE LIKE 'Waiting for%lock' AS waits
     FROM information_schema.PROCESSLIST
     WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump')`,
  );
  const finding = {
    id: "locks",
    title: "Locks and long statements",
    why: "A backup waits for writers that are at work, and gives up after the lock wait limit. Without the PROCESS privilege only this user's own sessions are seen.",
  };
  const long = rows.filter((row) => row.seconds > LONG_S);
  const waiting = rows.filter((row) => Number(row.waits) === 1);
  const parts = [
    long.length > 0
      ? `${long.length} statements run for more than an hour: ${some(long.map((row) => row.who))}.`
      : "",
    waiting.length > 0 ? `${waiting.length} sessions wait for a lock.` : "",
  ].filter((text) => text !== "");
  if (parts.length === 0) return { ...finding, state: "ok", detail: "Nothing is in the way of a dump now." };
  return { ...finding, state: "warning", detail: parts.join(" ") };
}

export async function findReplica(session: Session): Promise<EngineFinding> {
  const finding = {
    id: "replica",
    title: "Primary or replica",
    why: "A backup of a replica is as old as the replica. The binary log is not needed for it.",
  };
  try {
    const rows = await session.rows<Record<string, string | number | null>>(
      session.flavour.kind === "mariadb" ? "SHOW ALL SLAVES STATUS" : "SHOW REPLICA STATUS",
    );
    const [row] = rows;
    if (!row) return { ...finding, state: "ok", detail: "This server replicates no other one." };
    const lag = row.Seconds_Behind_Master ?? row.Seconds_Behind_Source ?? null;
    if (lag === null)
      return { ...finding, state: "warning", detail: "This is a replica that is not replicating now." };
    const state = Number(lag) > 60 ? "warning" : "ok";
    return { ...finding, state, detail: `This is a replica, ${lag} s behind.` };
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return { ...finding, state: "unknown", detail: "This user may not see whether the server is a replica." };
  }
}

export async function findClock(session: Session): Promise<EngineFinding> {
  const before = Date.now();
  const [row] = await session.rows<{ at: string }>("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) AS CHAR) AS at");
  const skew = Number(row?.at ?? 0) - (before + Date.now()) / 2000;
  const finding = {
    id: "clock",
    title: "Clock",
    why: "Times of backups, schedules and retention are this machine's; data carries the server's.",
  };
  const apart = `${Math.abs(skew).toFixed(Math.abs(skew) < 10 ? 1 : 0)} s`;
  if (Math.abs(skew) < CLOCK_WARNING_S) {
    return { ...finding, state: "ok", detail: `The server's clock and this machine's differ by ${apart}.` };
  }
  const detail = `The server's clock is ${apart} ${skew > 0 ? "ahead of" : "behind"} this machine's.`;
  return { ...finding, state: "warning", detail };
}

export function findSize(info: ServerInfo): EngineFinding {
  const why = "What is restored, in a sandbox too, takes about as much room again.";
  const base = { id: "size", title: "Size", why };
  if (info.sizeBytes === null) return { ...base, state: "ok", detail: "There are no tables yet." };
  return { ...base, state: "ok", detail: `${(info.sizeBytes / 1e6).toFixed(0)} MB on the server's disk.` };
}
