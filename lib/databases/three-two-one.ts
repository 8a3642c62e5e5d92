import type { DatabaseCopies } from "./schema.ts";

/**
 * How the copies of a backup stand to the 3-2-1 rule (US-CERT, "Data Backup Options", 2012): three copies of the
 * data, of which the database itself is one, at two kinds of place, one of them on another machine.
 */
export function threeTwoOne(copies: Omit<DatabaseCopies, "lacks">): DatabaseCopies {
  const lacks: string[] = [];
  if (copies.stored < 2) lacks.push(copies.stored === 1 ? "a second copy" : "two copies");
  if (copies.kinds < 2) lacks.push("a second kind of place");
  if (!copies.offHost) lacks.push("a copy off this host");
  return { ...copies, lacks };
}
