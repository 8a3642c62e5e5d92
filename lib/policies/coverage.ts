import { inScope } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";

/** What a policy was told to back up. */
export interface Selection {
  databaseIds: readonly string[];
  patterns: readonly string[];
}

/** Whether the policy covers the database: it was chosen, or its name fits a pattern. */
export function covers(
  { databaseIds, patterns }: Selection,
  database: { id: string; name: string },
): boolean {
  return databaseIds.includes(database.id) || patterns.some((pattern) => fits(pattern, database.name));
}

/** `*` stands for any number of letters, `?` for one. Goes back to the last `*` only: no pattern takes long. */
function fits(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let taken = 0;
  for (let here = 0; here < name.length; ) {
    if (pattern[at] === "*") {
      star = at;
      taken = here;
      at += 1;
    } else if (pattern[at] === "?" || pattern[at] === name[here]) {
      at += 1;
      here += 1;
    } else if (star >= 0) {
      at = star + 1;
      taken += 1;
      here = taken;
    } else return false;
  }
  return [...pattern.slice(at)].every((letter) => letter === "*");
}

export const databaseSelect = {
  id: true,
  name: true,
  pool: true,
  application: true,
  environment: { select: { name: true } },
} as const satisfies Prisma.DatabaseSelect;
export type Coverable = Prisma.DatabaseGetPayload<{ select: typeof databaseSelect }>;

/** All databases in use, by name. */
export async function databasesInUse(tx: Pick<Tx, "database">): Promise<Coverable[]> {
  return await tx.database.findMany({
    where: { archivedAt: null },
    select: databaseSelect,
    orderBy: { name: "asc" },
  });
}

/** Those within the actor's limits. */
export function visibleTo<T extends Pick<Coverable, "application" | "environment">>(
  ctx: Ctx,
  databases: readonly T[],
): T[] {
  return databases.filter(({ application, environment }) =>
    inScope(ctx.actor, { application, environment: environment.name }),
  );
}

/** Whether the actor sees some databases only. */
export function isLimited({ actor }: Ctx): boolean {
  if (actor.kind !== "user" && actor.kind !== "token") return false;
  return actor.scope.environments.length > 0 || actor.scope.applications.length > 0;
}
