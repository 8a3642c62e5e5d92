import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import type { Me } from "../members/schema.ts";
import { requirePermission } from "./permissions.ts";

/** Who is asking: the signed-in person or the API token, with role and limits. */
export async function getMe(ctx: Ctx): Promise<Me> {
  requirePermission(ctx, "account.own");
  const { actor } = ctx;
  if (actor.kind !== "user" && actor.kind !== "token") {
    throw new HoldfastError("unauthenticated", "Nobody is signed in.");
  }
  const user = actor.kind === "user" ? await ctx.db.user.findUnique({ where: { id: actor.id } }) : null;
  return {
    kind: actor.kind,
    id: actor.id,
    name: actor.name,
    email: user?.email ?? null,
    role: actor.role,
    environments: actor.scope.environments,
    applications: actor.scope.applications,
    totp: user?.totpEnabledAt != null,
    recoveryCodesLeft: user?.totpEnabledAt ? user.recoveryCodeHashes.length : null,
    mustChangePassword: user?.mustChangePassword ?? false,
  };
}
