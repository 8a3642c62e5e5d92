import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { destinationDtos, findDestination, nameTaken } from "./find-destination.ts";
import type { DestinationDto } from "./schema.ts";
import { updateDestinationInput } from "./schema.ts";

/** Renames a destination. Its place never changes, because copies lie there: another place is another one. */
export async function updateDestination(
  ctx: Ctx,
  nameOrId: string,
  input: z.input<typeof updateDestinationInput>,
): Promise<DestinationDto> {
  requirePermission(ctx, "destination.write");
  const { name } = updateDestinationInput.parse(input);
  const before = await findDestination(ctx.db, nameOrId);
  await ctx.db.$transaction(async (tx) => {
    const taken = await tx.destination.findUnique({ where: { name } });
    if (taken && taken.id !== before.id) throw nameTaken(name);
    const { count } = await tx.destination.updateMany({
      where: { id: before.id, name: before.name },
      data: { name },
    });
    if (count === 0)
      throw new HoldfastError("conflict", "It was changed meanwhile.", { remedy: "Reload it." });
    await emitAudit(tx, ctx, {
      action: "destination.update",
      object: { kind: "destination", id: before.id, name },
      before: { name: before.name },
      after: { name },
    });
    await emitEvent(tx, "settings", before.id);
    await emitEvent(tx, "backups");
  });
  const [now] = await destinationDtos(ctx, before.id);
  if (!now) throw new HoldfastError("not_found", `There is no destination "${name}" any more.`);
  return now;
}
