import { HoldfastError } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { mariadbEngine, mysqlEngine } from "./mariadb/engine.ts";
import { postgresEngine } from "./postgres/postgres-engine.ts";
import { sqliteEngine } from "./sqlite/engine.ts";

const ENGINES: readonly Engine[] = [postgresEngine, mariadbEngine, mysqlEngine, sqliteEngine];

/** The adapter of a kind of database; throws `invalid` for one that is not known. */
export function engineFor(kind: string): Engine {
  const found = ENGINES.find((engine) => engine.kind === kind);
  if (found) return found;
  const known = ENGINES.map((engine) => engine.kind).join(", ");
  throw new HoldfastError("invalid", `There is no engine ${kind}; known are ${known}.`, {
    fields: { engine: `Choose one of ${known}.` },
  });
}
