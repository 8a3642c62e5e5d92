import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { findDatabase } from "./find-database.ts";
import { getDatabase } from "./get-database.ts";
import { lockRegistrations, requireFreePlace } from "./place.ts";
import type { DatabaseDto } from "./schema.ts";

/** Takes a database out of daily work; its backups and history stay. Throws `refused` while work on it goes on. */
export async function archiveDatabase(ctx: Ctx, nameOrId: string): Promise<DatabaseDto> {
  const { id, name } = await findDatabase(ctx, ctx.db, nameOrId, "database.write");
  await ctx.db.$transaction(async (tx) => {
    await lockRegistrations(tx);
    const active = await tx.operation.count({
      where: { databaseId: id, state: { in: ["queued", "running", "cancelling"] } },
    });
    if (active > 0) {
      throw new HoldfastError("refused", `An operation on ${name} is waiting or running.`, {
        remedy: "Wait for its end, or cancel it, under Operations.",
      });
    }
    const { count } = await tx.database.updateMany({
      where: { id, archivedAt: null },
      data: { archivedAt: ctx.clock.now(), version: { increment: 1 } },
    });
    if (count === 0) throw new HoldfastError("conflict", `${name} is archived already.`);
    await emitAudit(tx, ctx, { action: "database.archive", object: { kind: "database", id, name } });
    await emitEvent(tx, "databases", id);
    await emitEvent(tx, "overview");
  });
  return await getDatabase(ctx, id);
}

/** Brings an archived database back. Throws `conflict` when its place was taken in the meantime. */
export async function unarchiveDatabase(ctx: Ctx, nameOrId: string): Promise<DatabaseDto> {
  const found = await findDatabase(ctx, ctx.db, nameOrId, "database.write");
  const { id, name } = found;
  await ctx.db.$transaction(async (tx) => {
    await lockRegistrations(tx);
    await requireFreePlace(tx, { ...found, connection: found.connection as Record<string, unknown> });
    const { count } = await tx.database.updateMany({
      where: { id, archivedAt: { not: null } },
      data: { archivedAt: null, version: { increment: 1 } },
    });
    if (count === 0) throw new HoldfastError("conflict", `${name} is not archived.`);
    await emitAudit(tx, ctx, { action: "database.unarchive", object: { kind: "database", id, name } });
    await emitEvent(tx, "databases", id);
    await emitEvent(tx, "overview");
  });
  return await getDatabase(ctx, id);
}
