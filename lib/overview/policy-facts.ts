import type { Ctx } from "../context.ts";
import type { Assessed } from "../databases/database-row.ts";
import { listUncovered } from "../policies/list-policies.ts";
import { policyStandings } from "../policies/policy-standings.ts";
import type { PolicyFacts } from "./policy-attention.ts";

/** What there is to say of the policies of these databases, within the actor's limits. */
export async function policyFacts(
  ctx: Ctx,
  databases: readonly Assessed[],
  environment: string | undefined,
): Promise<PolicyFacts> {
  const shown = new Map(databases.map(({ item, row }) => [item.id, row.createdAt]));
  const [uncovered, policies, kept] = await Promise.all([
    listUncovered(ctx),
    policyStandings(ctx),
    keptCopies(ctx, [...shown.keys()]),
  ]);
  return {
    uncovered: uncovered.flatMap(({ id, name, environment: place }) => {
      const since = shown.get(id);
      return since ? [{ name, environment: place, since }] : [];
    }),
    policies: environment ? [] : policies,
    kept,
  };
}

/** Copies whose deletion was tried and went wrong, by destination, with one of their backups. */
async function keptCopies(ctx: Ctx, databaseIds: readonly string[]): Promise<PolicyFacts["kept"]> {
  return await ctx.db.$queryRaw<PolicyFacts["kept"]>`
    SELECT t.name AS destination, count(*)::int AS copies, min(b.removing_at) AS since,
      (array_agg(b.id::text ORDER BY b.created_at))[1] AS "backupId",
      (array_agg(c.reason ORDER BY b.created_at))[1] AS reason
    FROM backup b JOIN copy c ON c.backup_id = b.id JOIN destination t ON t.id = c.destination_id
    WHERE b.removal_tries > 0 AND b.removed_at IS NULL AND c.state = 'removing' AND c.reason IS NOT NULL
      AND b.database_id = ANY(${[...databaseIds]}::uuid[])
    GROUP BY t.name ORDER BY t.name`;
}
