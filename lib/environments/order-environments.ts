import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { lockEnvironments } from "./find-environment.ts";
import { listEnvironments } from "./list-environments.ts";
import type { EnvironmentDto } from "./schema.ts";
import { orderEnvironmentsInput } from "./schema.ts";

/** Puts the environments in this order. Throws `conflict` unless every one is named exactly once. */
export async function orderEnvironments(
  ctx: Ctx,
  input: z.input<typeof orderEnvironmentsInput>,
): Promise<EnvironmentDto[]> {
  requirePermission(ctx, "environment.write");
  const { order } = orderEnvironmentsInput.parse(input);
  await ctx.db.$transaction(async (tx) => {
    await lockEnvironments(tx);
    const rows = await tx.environment.findMany({ orderBy: { position: "asc" } });
    const before = rows.map((row) => row.name);
    if (before.toSorted().join() !== order.toSorted().join()) {
      throw new HoldfastError(
        "conflict",
        "The order must name every environment once; they are others by now.",
        {
          remedy: "Reload the list and order it again.",
          fields: { order: "not all environments, each once" },
        },
      );
    }
    for (const row of rows) {
      await tx.environment.update({ where: { id: row.id }, data: { position: order.indexOf(row.name) + 1 } });
    }
    await emitAudit(tx, ctx, {
      action: "environment.order",
      object: { kind: "environment" },
      before: { order: before },
      after: { order },
    });
    await emitEvent(tx, "settings");
    await emitEvent(tx, "overview");
  });
  return await listEnvironments(ctx);
}
