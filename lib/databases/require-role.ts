import type { Permission } from "../auth/permissions.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";

/** Only the role, before the input is parsed; the verb checks the limits once it knows the target. */
export function requireRole(ctx: Ctx, permission: Permission): void {
  const { actor } = ctx;
  const scope = actor.kind === "user" || actor.kind === "token" ? actor.scope : null;
  requirePermission(ctx, permission, {
    environment: scope?.environments[0],
    application: scope?.applications[0],
  });
}
