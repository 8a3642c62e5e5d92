import type { Tx } from "../db/client.ts";
import { rulesFor } from "./retain-rules.ts";

/** How many of the newest proven backups of a database always stay: what its policies say, and never none. */
export async function provenFloor(
  tx: Pick<Tx, "policy">,
  database: { id: string; name: string },
): Promise<number> {
  const rules = await rulesFor(tx, database);
  return Math.max(1, ...rules.map(({ retention }) => retention.proven));
}
