import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { environmentDto, lockEnvironments, nameTaken } from "./find-environment.ts";
import type { EnvironmentDto } from "./schema.ts";
import { environmentInput } from "./schema.ts";

/** Adds an environment as the last rung. Throws `conflict` when the name is taken. */
export async function createEnvironment(
  ctx: Ctx,
  input: z.input<typeof environmentInput>,
): Promise<EnvironmentDto> {
  requirePermission(ctx, "environment.write");
  const environment = environmentInput.parse(input);
  return await ctx.db.$transaction(async (tx) => {
    await lockEnvironments(tx);
    if (await tx.environment.findUnique({ where: { name: environment.name } }))
      throw nameTaken(environment.name);
    const last = await tx.environment.aggregate({ _max: { position: true } });
    const id = newId();
    const position = (last._max.position ?? 0) + 1;
    await tx.environment.create({ data: { id, position, createdAt: ctx.clock.now(), ...environment } });
    const object = { kind: "environment", id, name: environment.name };
    await emitAudit(tx, ctx, { action: "environment.create", object, after: { ...environment, position } });
    await emitEvent(tx, "settings", id);
    return await environmentDto(tx, id);
  });
}
