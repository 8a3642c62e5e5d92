import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";
import { nextRuns, type Timing } from "./next-run.ts";

/** Ids of the named databases; throws `invalid` for one that there is not, or that is archived. */
export async function databaseIdsOf(
  tx: Pick<Tx, "database">,
  namesOrIds: readonly string[],
): Promise<string[]> {
  return await idsOf(namesOrIds, "databases", "database", (where) => tx.database.findMany(where));
}

/** Ids of the named destinations; throws `invalid` for one that there is not, or that is archived. */
export async function destinationIdsOf(
  tx: Pick<Tx, "destination">,
  namesOrIds: readonly string[],
): Promise<string[]> {
  return await idsOf(namesOrIds, "destinations", "destination", (where) => tx.destination.findMany(where));
}

interface Lookup {
  where: { OR: ({ id: { in: string[] } } | { name: { in: string[] } })[] };
  select: { id: true; name: true; archivedAt: true };
}

async function idsOf(
  namesOrIds: readonly string[],
  field: string,
  what: string,
  find: (lookup: Lookup) => Promise<{ id: string; name: string; archivedAt: Date | null }[]>,
): Promise<string[]> {
  const asked = [...new Set(namesOrIds)];
  const found = await find({
    where: { OR: [{ id: { in: asked.filter(isId) } }, { name: { in: asked } }] },
    select: { id: true, name: true, archivedAt: true },
  });
  for (const one of asked) {
    const row = found.find(({ id, name }) => id === one || name === one);
    if (row && !row.archivedAt) continue;
    const text = row ? `The ${what} ${row.name} is archived.` : `There is no ${what} "${one.slice(0, 80)}".`;
    throw new HoldfastError("invalid", text, { fields: { [field]: text } });
  }
  return found.map(({ id }) => id);
}

/** Refuses what would back up nothing. */
export function requireSelection(databases: readonly string[], patterns: readonly string[]): void {
  if (databases.length + patterns.length > 0) return;
  throw new HoldfastError("invalid", "This policy covers no database.", {
    remedy: "Choose a database, or give a pattern such as shop-*.",
    fields: { databases: "Choose at least one database or a pattern." },
  });
}

/** The next due time; throws `invalid` for a schedule that is none, is never due, or has no time left. */
export function requireDue(timing: Timing, now: Date): Date {
  const [next] = nextRuns(timing, now, 1);
  if (!next)
    throw new HoldfastError("invalid", "This schedule is never due.", { fields: { schedule: "never due" } });
  return next;
}
