import { createHash } from "node:crypto";
import type { Fingerprint } from "../../proof/schema.ts";
import type { ServerInfo } from "../engine.ts";
import type { Session } from "./connect.ts";
import { CODE_KINDS, readDefinitions } from "./definitions.ts";

/** More than this, and a manifest would be longer than many dumps. */
const MOST_OBJECTS = 5_000;

/** Under ANSI_QUOTES names stand in double quotes. */
const DEFINER =
  /\bDEFINER\s*=\s*((?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|[^\s@]+)(?:@(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|\S+))?)\s*/;

export interface SchemaDigests {
  schema: string;
  ownership: string;
  objects: Record<string, string>;
  /** Definitions that this user may not read. */
  hidden: string[];
}

const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Definitions are comparable where the same server wrote them down: "definitions by MariaDB 10.11". */
export function schemaMethod(label: string, server: Pick<ServerInfo, "version">): string {
  return `definitions by ${label} ${server.version.split(".").slice(0, 2).join(".")}`;
}

/**
 * Digests of every definition as the server writes it, without what moves by itself (the next AUTO_INCREMENT) and
 * without who made it, which is digested apart.
 */
export async function digestSchema(session: Session): Promise<SchemaDigests> {
  const { definitions, hidden } = await readDefinitions(session, ["TABLE", "SEQUENCE", ...CODE_KINDS]);
  const objects: Record<string, string> = {};
  const owners: string[] = [];
  for (const { kind, name, sql, sqlMode, client, connection, timeZone } of definitions) {
    if (kind === "TABLE") {
      for (const [object, text] of partsOfTable(name, sql)) objects[object] = sha(text);
      continue;
    }
    const definer = DEFINER.exec(sql)?.[1] ?? null;
    const text = sql.replace(DEFINER, "");
    objects[`${kind} ${name}`] = sha(JSON.stringify([text, sqlMode, client, connection, timeZone]));
    if (definer !== null) owners.push(`${kind} ${name} ${definer}`);
  }
  const [own] = await session.rows<{ text: string }>(
    `SELECT CONCAT(DEFAULT_CHARACTER_SET_NAME, ' ', DEFAULT_COLLATION_NAME) AS text
     FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()`,
  );
  objects.DATABASE = sha(own?.text ?? "");
  const lines = Object.keys(objects).sort();
  return {
    schema: sha(lines.map((name) => `${name}\n${objects[name]}\n`).join("")),
    ownership: sha(owners.sort().join("\n")),
    objects,
    hidden,
  };
}

/** A table, its indexes and its constraints, to name what differs. Each stands on a line of its own. */
function partsOfTable(name: string, sql: string): [object: string, text: string][] {
  const own: string[] = [];
  const parts: [string, string][] = [];
  for (const line of withoutCounter(sql).split("\n")) {
    const text = line.replace(/,$/, "");
    const [, kind, part] =
      /^ {2}(?:(?:UNIQUE |FULLTEXT |SPATIAL )?(KEY)|(?:CONSTRAINT)) `((?:[^`]|``)*)`/.exec(text) ?? [];
    if (part === undefined) own.push(text);
    else parts.push([`${kind === "KEY" ? "INDEX" : "CONSTRAINT"} ${name}.${part}`, text]);
  }
  return [[`TABLE ${name}`, own.join("\n")], ...parts];
}

/** The table's own options stand after the last parenthesis of its body, on a line of their own. */
function withoutCounter(sql: string): string {
  return sql.replace(/^(\) ENGINE=\S+.*?) AUTO_INCREMENT=\d+/m, "$1");
}

/** The schema's part of a fingerprint. */
export function schemaPart(
  method: string,
  digests: SchemaDigests,
): Pick<Fingerprint, "schema" | "ownership"> {
  const { schema, ownership, objects, hidden } = digests;
  if (hidden.length > 0) {
    const note = `not comparable: this user may not read ${hidden.slice(0, 3).join(", ")}`;
    return { schema: { digest: null, method, note }, ownership: { digest: null, note } };
  }
  const few = Object.keys(objects).length <= MOST_OBJECTS;
  return {
    schema: { digest: schema, method, ...(few ? { objects } : {}) },
    ownership: { digest: ownership },
  };
}
