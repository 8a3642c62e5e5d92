import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";
import { environmentDto, findEnvironment, lockEnvironments, nameTaken } from "./find-environment.ts";
import type { EnvironmentDto } from "./schema.ts";
import { updateEnvironmentInput } from "./schema.ts";

/** Renames or protects an environment; limits of members and tokens follow its name. */
export async function updateEnvironment(
  ctx: Ctx,
  name: string,
  input: z.input<typeof updateEnvironmentInput>,
): Promise<EnvironmentDto> {
  requirePermission(ctx, "environment.write");
  const change = updateEnvironmentInput.parse(input);
  return await ctx.db.$transaction(async (tx) => {
    await lockEnvironments(tx);
    const before = await findEnvironment(tx, name);
    const after = { name: change.name ?? before.name, protected: change.protected ?? before.protected };
    if (after.name !== before.name) {
      if (await tx.environment.findUnique({ where: { name: after.name } })) throw nameTaken(after.name);
      await renameInLimits(tx, before.name, after.name);
    }
    await tx.environment.update({ where: { id: before.id }, data: after });
    await emitAudit(tx, ctx, {
      action: "environment.update",
      object: { kind: "environment", id: before.id, name: after.name },
      before: { name: before.name, protected: before.protected },
      after,
    });
    await emitEvent(tx, "settings", before.id);
    await emitEvent(tx, "databases");
    await emitEvent(tx, "overview");
    return await environmentDto(tx, before.id);
  });
}

async function renameInLimits(tx: Tx, from: string, to: string): Promise<void> {
  await tx.$executeRaw`UPDATE user_account
    SET scope_environments = array_replace(scope_environments, ${from}, ${to})
    WHERE ${from} = ANY(scope_environments)`;
  await tx.$executeRaw`UPDATE invite
    SET scope_environments = array_replace(scope_environments, ${from}, ${to})
    WHERE ${from} = ANY(scope_environments)`;
  await tx.$executeRaw`UPDATE api_token
    SET scope_environments = array_replace(scope_environments, ${from}, ${to})
    WHERE ${from} = ANY(scope_environments)`;
}
