import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import type { EnvironmentDto } from "./schema.ts";

/** The environment of this name; throws `not_found`. */
export async function findEnvironment(
  tx: Tx,
  name: string,
): Promise<{ id: string; name: string; protected: boolean }> {
  const found = await tx.environment.findUnique({ where: { name } });
  if (found) return found;
  throw new HoldfastError("not_found", `There is no environment "${name}".`, {
    remedy: "Choose one that is listed under Settings, Environments, or add it there.",
    fields: { environment: "no such environment" },
  });
}

export async function environmentDto(tx: Tx, id: string): Promise<EnvironmentDto> {
  const row = await tx.environment.findUniqueOrThrow({
    where: { id },
    include: { _count: { select: { databases: { where: { archivedAt: null } } } } },
  });
  return {
    id: row.id,
    name: row.name,
    position: row.position,
    protected: row.protected,
    databases: row._count.databases,
  };
}

export function nameTaken(name: string): HoldfastError {
  return new HoldfastError("conflict", `There is an environment "${name}" already.`, {
    remedy: "Choose another name.",
    fields: { name: "is taken" },
  });
}

/** Changes of environments follow one another. */
export async function lockEnvironments(tx: Tx): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(7230004)`;
}
