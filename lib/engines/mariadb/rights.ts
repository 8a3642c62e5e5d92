import { HoldfastError } from "../../errors.ts";
import type { Session } from "./connect.ts";
import { isDenied } from "./connect-errors.ts";
import { escapePattern, quoteIdentifier } from "./quote.ts";

/** What a dump needs on all of the database: without, tables and triggers are left out of it without a word. */
export const NEEDED = ["SELECT", "SHOW VIEW", "TRIGGER", "EVENT"] as const;

export interface Rights {
  /** 'backup'@'%', as SQL. */
  account: string;
  everywhere: ReadonlySet<string>;
  database: ReadonlySet<string>;
}

/** Whether a name matches a database as grants write it: with % and _ as wildcards, escaped by backslashes. */
export function matchesGrant(pattern: string, name: string): boolean {
  const source = pattern.replace(/\\([\s\S])|%|_|[\s\S]/g, (one, escaped: string | undefined) => {
    if (escaped !== undefined) return escapePattern(escaped);
    if (one === "%") return ".*";
    return one === "_" ? "." : escapePattern(one);
  });
  return new RegExp(`^${source}$`, "s").test(name);
}

/** What this user may do, from SHOW GRANTS: information_schema shows less on managed servers. */
export async function readRights(session: Session, database: string): Promise<Rights> {
  const rows = await session.rows<Record<string, string>>("SHOW GRANTS");
  const [own] = await session.rows<{ name: string }>("SELECT CURRENT_USER() AS name");
  const everywhere = new Set<string>();
  const here = new Set<string>();
  for (const row of rows) {
    const [, list, scope] =
      /^GRANT (.+?) ON (\*\.\*|`(?:[^`]|``)*`\.\*) TO /.exec(String(Object.values(row)[0])) ?? [];
    if (list === undefined || scope === undefined) continue;
    const name = scope === "*.*" ? null : scope.slice(1, -3).replaceAll("``", "`");
    if (name !== null && !matchesGrant(name, database)) continue;
    for (const right of list.split(",").map((one) => one.trim())) {
      here.add(right);
      if (name === null) everywhere.add(right);
    }
  }
  const [user = "", host = "%"] = (own?.name ?? "").split(/@(?=[^@]*$)/);
  return { account: `${quoteIdentifier(user)}@${quoteIdentifier(host)}`, everywhere, database: here };
}

const ALL = "ALL PRIVILEGES";

export const mayHere = ({ database }: Rights, right: string): boolean =>
  database.has(ALL) || database.has(right);
export const mayEverywhere = ({ everywhere }: Rights, right: string): boolean =>
  everywhere.has(ALL) || everywhere.has(right);

export function grantOf(rights: Rights, list: readonly string[], database: string): string {
  // In a grant these are wildcards.
  const pattern = database.replace(/[\\_%]/g, "\\$&");
  return `GRANT ${list.join(", ")} ON ${quoteIdentifier(pattern)}.* TO ${rights.account};`;
}

/** The dump programs look for events under an escaped name, and stop where that is another one. */
export async function eventsOfOddName(session: Session, database: string): Promise<number> {
  if (!/['"\\]/.test(database)) return 0;
  const [row] = await session.rows<{ n: number }>(
    "SELECT COUNT(*) AS n FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()",
  );
  return Number(row?.n ?? 0);
}

/** Throws `refused` where the dump program would stop. */
export async function requireDumpableEvents(session: Session, database: string): Promise<void> {
  if ((await eventsOfOddName(session, database)) === 0) return;
  throw new HoldfastError(
    "refused",
    `The dump program can't dump events of a database whose name has quotes or backslashes: ${database}.`,
    { remedy: "Move the events, or all of it, to a database of another name." },
  );
}

/** Whether routines of others are shown to this user: all are dumped then. */
export async function maySeeRoutines(session: Session, rights: Rights): Promise<boolean> {
  if (mayEverywhere(rights, "SELECT")) return true;
  if (session.flavour.kind === "mysql") return mayEverywhere(rights, "SHOW_ROUTINE");
  // A right of its own since MariaDB 11.3.
  if (mayHere(rights, "SHOW CREATE ROUTINE")) return true;
  try {
    await session.rows("SELECT 1 FROM mysql.proc LIMIT 0");
    return true;
  } catch (error) {
    if (!isDenied(error)) throw error;
    return false;
  }
}

export function grantOfRoutines(session: Session, rights: Rights): string {
  const right = session.flavour.kind === "mariadb" ? "SELECT ON mysql.proc" : "SHOW_ROUTINE ON *.*";
  return `GRANT ${right} TO ${rights.account};`;
}

/** Throws `refused` where a dump would leave things out without a word. */
export async function requireRights(session: Session, database: string): Promise<void> {
  const rights = await readRights(session, database);
  const missing: string[] = NEEDED.filter((right) => !mayHere(rights, right));
  const sql = missing.length > 0 ? [grantOf(rights, missing, database)] : [];
  if (!(await maySeeRoutines(session, rights))) {
    missing.push("the right to see routines");
    sql.push(grantOfRoutines(session, rights));
  }
  if (missing.length === 0) return;
  throw new HoldfastError(
    "refused",
    `User ${rights.account} has not ${missing.join(", ")} on all of ${database}, and a backup must not be partial.`,
    { remedy: `Run on its server: ${sql.join(" ")}` },
  );
}

/** Whether this user may make code that runs as somebody else. */
export async function maySetDefiner(session: Session): Promise<boolean> {
  const rows = await session.rows<Record<string, string>>("SHOW GRANTS");
  return rows.some((row) => {
    const grant = String(Object.values(row)[0]);
    const rights = /^GRANT (.*) ON \*\.\* TO /.exec(grant)?.[1];
    if (rights === undefined) return false;
    const list = rights.split(",").map((right) => right.trim());
    return (
      list.includes("ALL PRIVILEGES") || session.flavour.setsDefiner.some((right) => list.includes(right))
    );
  });
}
