import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { destinationDtos, findDestination } from "./find-destination.ts";
import type { DestinationDto } from "./schema.ts";

/**
 * Takes a destination out of use: new backups leave it out, its copies stay and can be restored. Throws
 * `refused` for the last one in use, `conflict` when it is archived already.
 */
export async function archiveDestination(ctx: Ctx, nameOrId: string): Promise<DestinationDto> {
  requirePermission(ctx, "destination.write");
  const row = await findDestination(ctx.db, nameOrId);
  await ctx.db.$transaction(async (tx) => {
    const inUse = await tx.$queryRaw<{ id: string }[]>`
      SELECT id::text FROM destination WHERE archived_at IS NULL ORDER BY id FOR UPDATE`;
    if (!inUse.some(({ id }) => id === row.id)) {
      throw new HoldfastError("conflict", `${row.name} is archived already.`);
    }
    if (inUse.length === 1) {
      throw new HoldfastError("refused", `${row.name} is the only destination in use.`, {
        remedy: "Add another one first, so that backups have a place to go.",
      });
    }
    await tx.destination.update({ where: { id: row.id }, data: { archivedAt: ctx.clock.now() } });
    // Nothing is made there again.
    await tx.copy.updateMany({ where: { destinationId: row.id }, data: { retryAt: null } });
    await emitAudit(tx, ctx, {
      action: "destination.archive",
      object: { kind: "destination", id: row.id, name: row.name },
    });
    await emitEvent(tx, "settings", row.id);
  });
  const [now] = await destinationDtos(ctx, row.id);
  if (!now) throw new HoldfastError("not_found", `There is no destination "${row.name}" any more.`);
  return now;
}
