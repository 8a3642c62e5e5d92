import type { Tx } from "../db/client.ts";
import { covers } from "./coverage.ts";
import { rulesOf, selectionOf } from "./policy-row.ts";
import type { Rules } from "./retention.ts";

/** The retentions of all policies that cover the database. */
export async function rulesFor(
  tx: Pick<Tx, "policy">,
  database: { id: string; name: string },
): Promise<Rules[]> {
  const rows = await tx.policy.findMany({
    where: { archivedAt: null },
    select: {
      id: true,
      retention: true,
      zone: true,
      pausedAt: true,
      patterns: true,
      databases: { select: { databaseId: true } },
    },
  });
  return rows.filter((row) => covers(selectionOf(row), database)).map(rulesOf);
}
