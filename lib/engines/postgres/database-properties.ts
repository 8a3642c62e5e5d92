import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { RestoreResult } from "../engine.ts";
import type { TocEntry } from "./archive-toc.ts";
import { codeOf, isConnectionLost } from "./connect-errors.ts";
import { quoteIdentifier } from "./quote.ts";
import { splitStatements } from "./split-statements.ts";

/** The role or the parameter that a setting is for is not there. */
const UNDEFINED_OBJECT = "42704";

const NAME = String.raw`(?:"(?:[^"]|"")+"|[^\s;]+)`;

/** The statements of an entry about the database, with the new database's name in the place of the old. */
function renamed(entry: TocEntry, database: string): string[] {
  const name = quoteIdentifier(database);
  return splitStatements(entry.definition).flatMap((statement) => {
    const result = statement
      .replace(new RegExp(`^ALTER DATABASE ${NAME} `), () => `ALTER DATABASE ${name} `)
      .replace(
        new RegExp(`^(ALTER ROLE ${NAME} IN DATABASE) ${NAME} `),
        (_all, head: string) => `${head} ${name} `,
      )
      .replace(new RegExp(`^(COMMENT ON DATABASE) ${NAME} `), (_all, head: string) => `${head} ${name} `)
      .replace(
        new RegExp(`^((?:GRANT|REVOKE) .+? ON DATABASE) ${NAME} `),
        (_all, head: string) => `${head} ${name} `,
      );
    return result.includes(name) ? [result] : [];
  });
}

/**
 * Gives a restored database the settings, comment and, with `owners`, owner and grants that the old one had:
 * pg_restore does that only together with creating the database. What the server refuses is returned; `lost` is
 * of that what would have an effect here.
 */
export async function applyDatabaseProperties(
  client: Client,
  entries: readonly TocEntry[],
  database: string,
  owners: boolean,
): Promise<{ skipped: RestoreResult["skipped"]; lost: RestoreResult["skipped"] }> {
  const skipped: RestoreResult["skipped"] = [];
  const lost: RestoreResult["skipped"] = [];
  const statements = entries.flatMap((entry) => {
    if (entry.kind === "ACL") return owners ? renamed(entry, database) : [];
    if (entry.kind !== "DATABASE") return renamed(entry, database);
    return owners && entry.owner !== ""
      ? [`ALTER DATABASE ${quoteIdentifier(database)} OWNER TO ${quoteIdentifier(entry.owner)}`]
      : [];
  });
  for (const statement of statements) {
    try {
      await client.query(statement);
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      const refused = { object: statement, reason: messageOf(error) };
      skipped.push(refused);
      if (codeOf(error) !== UNDEFINED_OBJECT) lost.push(refused);
    }
  }
  return { skipped, lost };
}
