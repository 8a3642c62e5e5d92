import type { Ctx } from "../context.ts";
import { Prisma } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { findDatabase } from "./find-database.ts";
import type { DatabaseDto } from "./schema.ts";
import { preflightSchema } from "./schema.ts";
import { selectDatabases } from "./select-databases.ts";

/** One database by name or id, with its promise and the newest preflight. */
export async function getDatabase(ctx: Ctx, nameOrId: string): Promise<DatabaseDto> {
  const row = await findDatabase(ctx, ctx.db, nameOrId, "read");
  const [assessed] = await selectDatabases(ctx, [Prisma.sql`d.id = ${row.id}::uuid`]);
  if (!assessed) throw new HoldfastError("not_found", `There is no database "${nameOrId}" any more.`);
  return {
    ...assessed.item,
    note: row.note,
    connection: row.connection as Record<string, unknown>,
    hasPassword: row.secretSealed !== null,
    serverIdentity: row.serverIdentity,
    probedAt: row.probedAt?.toISOString() ?? null,
    probeError: row.probeError,
    preflight: row.preflight === null ? null : preflightSchema.parse(row.preflight),
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
