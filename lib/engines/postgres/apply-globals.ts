import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { RestoreResult } from "../engine.ts";
import { codeOf, isConnectionLost } from "./connect-errors.ts";
import { splitStatements } from "./split-statements.ts";

const DUPLICATE_OBJECT = "42710";

/** An identifier as pg_dumpall writes it. */
const NAME = String.raw`("(?:[^"]|"")+"|[^\s;]+)`;
const CREATE_ROLE = new RegExp(`^CREATE ROLE ${NAME}$`);
const ABOUT_ROLE = new RegExp(
  String.raw`^(?:ALTER ROLE|COMMENT ON ROLE|SECURITY LABEL .* ON ROLE) ${NAME}\s`,
);
const MEMBERSHIP = new RegExp(String.raw`^GRANT ${NAME} TO ${NAME}(?:\s|$)`);

type Skipped = RestoreResult["skipped"];

/**
 * Makes the roles of a globals artefact that the server does not have. Roles that it has are left as they
 * are, with their passwords and settings. Anything else than roles and their memberships, settings and
 * comments is not run: tablespaces are places on the old server's disks.
 */
export async function applyGlobals(client: Client, sql: string): Promise<Skipped> {
  const skipped: Skipped = [];
  const made = new Set<string>();
  const run = async (statement: string, object: string): Promise<boolean> => {
    try {
      await client.query(statement);
      return true;
    } catch (error) {
      if (isConnectionLost(error)) throw error;
      if (codeOf(error) !== DUPLICATE_OBJECT) skipped.push({ object, reason: messageOf(error) });
      return false;
    }
  };
  // Who granted it may be a superuser under another name here.
  const grant = async (statement: string, object: string): Promise<void> => {
    const byAnyone = statement.replace(new RegExp(` GRANTED BY ${NAME}$`), "");
    await client.query(statement).catch(async () => await run(byAnyone, object));
  };
  for (const statement of splitStatements(sql)) {
    const create = CREATE_ROLE.exec(statement)?.[1];
    if (create !== undefined) {
      if (await run(statement, `role ${create}`)) made.add(create);
      continue;
    }
    const about = ABOUT_ROLE.exec(statement)?.[1];
    if (about !== undefined) {
      if (made.has(about) && !/ IN DATABASE /.test(statement))
        await run(statement, `settings of role ${about}`);
      continue;
    }
    const [, group, member] = MEMBERSHIP.exec(statement) ?? [];
    if (group !== undefined && member !== undefined) {
      if (made.has(group) || made.has(member)) await grant(statement, `membership of ${member} in ${group}`);
    }
  }
  return skipped;
}
