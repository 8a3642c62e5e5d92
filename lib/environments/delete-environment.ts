import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { findEnvironment, lockEnvironments } from "./find-environment.ts";

/** Deletes an environment that no database belongs to, archived ones included. Throws `refused` otherwise. */
export async function deleteEnvironment(ctx: Ctx, name: string): Promise<void> {
  requirePermission(ctx, "environment.write");
  await ctx.db.$transaction(async (tx) => {
    await lockEnvironments(tx);
    const environment = await findEnvironment(tx, name);
    const { id } = environment;
    const databases = await tx.database.count({ where: { environmentId: id } });
    if (databases > 0) {
      throw new HoldfastError(
        "refused",
        `${databases} databases belong to "${name}", archived ones included.`,
        {
          remedy: "Move them to another environment first.",
        },
      );
    }
    // Without the name an empty list would be left, and that means no limit at all.
    if (await isLimit(tx, name)) {
      throw new HoldfastError("refused", `Members, invitations or tokens are limited to "${name}".`, {
        remedy: "Change their limits first, under Settings, Members and Tokens.",
      });
    }
    await tx.environment.delete({ where: { id } });
    const { protected: isProtected } = environment;
    await emitAudit(tx, ctx, {
      action: "environment.delete",
      object: { kind: "environment", id, name },
      before: { name, protected: isProtected },
    });
    await emitEvent(tx, "settings", id);
  });
}

async function isLimit(tx: Tx, name: string): Promise<boolean> {
  const scoped = { scopeEnvironments: { has: name } };
  return (
    (await tx.user.count({ where: scoped })) > 0 ||
    (await tx.apiToken.count({ where: { ...scoped, revokedAt: null } })) > 0 ||
    (await tx.invite.count({ where: { ...scoped, acceptedAt: null, revokedAt: null } })) > 0
  );
}
