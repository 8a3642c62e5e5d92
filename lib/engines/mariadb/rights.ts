import { HoldfastError } from "../../errors.ts";
import type { Session } from "./connect.ts";
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

/** Throws `refused` where a dump would leave things out without a word. */
export async function requireRights(session: Session, database: string): Promise<void> {
  const rights = await readRights(session, database);
  const missing = NEEDED.filter((right) => !mayHere(rights, right));
  if (missing.length === 0) return;
  throw new HoldfastError(
    "refused",
    `User ${rights.account} has not ${missing.join(", ")} on all of ${database}, and a backup must not be partial.`,
    { remedy: `Run on its server: ${grantOf(rights, missing, database)}` },
  );
}
