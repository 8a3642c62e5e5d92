import { listNames } from "./catalog.ts";
import type { Session } from "./connect.ts";
import { quoteIdentifier } from "./quote.ts";

/** Code and tables of a database, each with the statement that makes it again. */
export interface Definition {
  kind:
    | "TABLE"
    | "SEQUENCE"
    | "VIEW"
    | "TRIGGER"
    | "PROCEDURE"
    | "FUNCTION"
    | "PACKAGE"
    | "PACKAGE BODY"
    | "EVENT";
  name: string;
  /** As the server writes it, DEFINER included. */
  sql: string;
  /** Settings under which it was made and has to be made again. */
  sqlMode: string | null;
  client: string | null;
  connection: string | null;
  timeZone: string | null;
}

type Row = Record<string, string | null>;

/** Kinds of what is no table, in an order in which they can be made; views may need functions. */
export const CODE_KINDS = [
  "PACKAGE",
  "PACKAGE BODY",
  "FUNCTION",
  "PROCEDURE",
  "VIEW",
  "TRIGGER",
  "EVENT",
] as const;

/** Events that ran out: the server drops them when it makes them anew. */
const GONE_WHEN_MADE = "EVENT_TYPE = 'ONE TIME' AND ON_COMPLETION = 'NOT PRESERVE'";

async function names(session: Session, kind: Definition["kind"]): Promise<string[]> {
  const list = async (sql: string) => (await session.rows<{ name: string }>(sql)).map((row) => row.name);
  switch (kind) {
    case "TABLE":
      return await list(`SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
        AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY 1`);
    case "SEQUENCE":
      return session.flavour.sequences ? await listNames(session, "SEQUENCE") : [];
    case "VIEW":
      return await listNames(session, "VIEW");
    case "TRIGGER":
      return await list(`SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS
        WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`);
    case "EVENT":
      return await list(`SELECT EVENT_NAME AS name FROM information_schema.EVENTS
        WHERE EVENT_SCHEMA = DATABASE() AND NOT (${GONE_WHEN_MADE}) ORDER BY 1`);
    default:
      return await list(`SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES
        WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = '${kind}' ORDER BY 1`);
  }
}

/** How many one-time events are left out of definitions. */
export async function countFleetingEvents(session: Session): Promise<number> {
  const [row] = await session.rows<{ n: number }>(
    `SELECT COUNT(*) AS n FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() AND ${GONE_WHEN_MADE}`,
  );
  return row?.n ?? 0;
}

/** The statement's column is named after its kind: "Create Table", "SQL Original Statement" of triggers. */
function statementOf(row: Row): string | null {
  const key = Object.keys(row).find(
    (name) => /^(Create |SQL Original Statement$)/.test(name) && name !== "Created",
  );
  return key === undefined ? null : (row[key] ?? null);
}

async function read(session: Session, kind: Definition["kind"], name: string): Promise<Definition | null> {
  const [row] = await session.rows<Row>(`SHOW CREATE ${kind} ${quoteIdentifier(name)}`);
  const sql = row ? statementOf(row) : null;
  if (!row || sql === null) return null;
  return {
    kind,
    name,
    sql,
    sqlMode: row.sql_mode ?? null,
    client: row.character_set_client ?? null,
    connection: row.collation_connection ?? null,
    timeZone: row.time_zone ?? null,
  };
}

/** All of these kinds in the session's database; `hidden` names those that this user may not read. */
export async function readDefinitions(
  session: Session,
  kinds: readonly Definition["kind"][],
): Promise<{ definitions: Definition[]; hidden: string[] }> {
  const definitions: Definition[] = [];
  const hidden: string[] = [];
  for (const kind of kinds) {
    for (const name of await names(session, kind)) {
      const found = await read(session, kind, name);
      if (found) definitions.push(found);
      else hidden.push(`${kind} ${name}`);
    }
  }
  return { definitions, hidden };
}
