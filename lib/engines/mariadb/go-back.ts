import type { Swap } from "../engine.ts";
import { dropStatements, moves, readCode, settingsOf, tableNames } from "./code.ts";
import type { Session } from "./connect.ts";
import type { Definition } from "./definitions.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";

/**
 * Commands for the stock client that put the replaced database back and move the restored one aside, under the name
 * that it had before the swap. Where neither has views or other code, that is one RENAME TABLE.
 */
export async function goBackScript(session: Session, { from, to, oldName }: Swap): Promise<string> {
  const [restored, replaced] = [await readCode(session, to.name), await readCode(session, oldName)];
  const pairs = [
    ...moves(await tableNames(session, to.name), to.name, from.name),
    ...moves(await tableNames(session, oldName), oldName, to.name),
  ];
  const [about] = await session.rows<{ encoding: string; collation: string }>(
    `SELECT DEFAULT_CHARACTER_SET_NAME AS encoding, DEFAULT_COLLATION_NAME AS collation
     FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${quoteLiteral(to.name)}`,
  );
  const like = about ? ` CHARACTER SET ${about.encoding} COLLATE ${about.collation}` : "";
  return [
    `CREATE DATABASE ${quoteIdentifier(from.name)}${like};`,
    ...dropped(to.name, restored),
    ...dropped(oldName, replaced),
    ...(pairs.length > 0 ? [`RENAME TABLE ${pairs.join(", ")};`] : []),
    ...made(from.name, restored),
    ...made(to.name, replaced),
    `-- ${quoteIdentifier(oldName)} is empty then. Look, and drop it by hand.`.replaceAll("\n", " "),
  ].join("\n");
}

function dropped(database: string, code: readonly Definition[]): string[] {
  return dropStatements(database, code).map((statement) => `${statement};`);
}

function made(database: string, code: readonly Definition[]): string[] {
  if (code.length === 0) return [];
  const statements = inOrder(code).flatMap((definition) => {
    const settings = settingsOf(definition).map((setting) => `${setting};`);
    const isView = definition.kind === "VIEW";
    return [
      ...settings,
      ...(isView ? [`${definition.sql};`] : ["DELIMITER ;;", `${definition.sql};;`, "DELIMITER ;"]),
    ];
  });
  return [`USE ${quoteIdentifier(database)};`, ...statements];
}

/** Routines before the views that may call them, and views after those whose names they have in them. */
function inOrder(code: readonly Definition[]): Definition[] {
  const views = code.filter(({ kind }) => kind === "VIEW");
  const late = code.filter(({ kind }) => kind === "TRIGGER" || kind === "EVENT");
  const ordered: Definition[] = code.filter((one) => !views.includes(one) && !late.includes(one));
  const seen = new Set<Definition>();
  const visit = (view: Definition): void => {
    if (seen.has(view)) return;
    seen.add(view);
    for (const other of views) if (view.sql.includes(quoteIdentifier(other.name))) visit(other);
    ordered.push(view);
  };
  for (const view of views) visit(view);
  return [...ordered, ...late];
}
