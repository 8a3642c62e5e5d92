import type { Actor, Ctx, Role } from "../context.ts";
import { HoldfastError, isHoldfastError } from "../errors.ts";

/** Every permission and the least role that has it (design: "Roles"). */
const LEAST_ROLE = {
  read: "viewer",
  "account.own": "viewer",
  "backup.run": "operator",
  "backup.verify": "operator",
  "backup.copy": "operator",
  "backup.pin": "operator",
  "database.test": "operator",
  "operation.cancel": "operator",
  "backup.restore": "admin",
  "backup.download": "admin",
  "backup.delete": "admin",
  "policy.run": "operator",
  "policy.write": "admin",
  "database.write": "admin",
  "environment.write": "admin",
  "destination.write": "admin",
  "member.read": "admin",
  "member.write": "admin",
  "token.write": "admin",
  "key.write": "admin",
  "audit.export": "admin",
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof LEAST_ROLE;

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** What is acted on, for actors limited to environments or applications. */
export interface Target {
  environment?: string | undefined;
  application?: string | undefined;
}

export function leastRole(permission: Permission): Role {
  return LEAST_ROLE[permission];
}

/** Whether the actor's role allows the permission; limits to environments are not looked at. */
export function roleAllows(role: Role, permission: Permission): boolean {
  return RANK[role] >= RANK[LEAST_ROLE[permission]];
}

/** Everything that the role allows, for pages to leave out what would be refused. */
export function permissionsOf(role: Role): Permission[] {
  return (Object.keys(LEAST_ROLE) as Permission[]).filter((permission) => roleAllows(role, permission));
}

/** Whether the actor's limits, if any, include the target. */
export function inScope(actor: Actor, target: Target): boolean {
  if (actor.kind === "system" || actor.kind === "schedule") return true;
  const { environments, applications } = actor.scope;
  const inEnvironment =
    environments.length === 0 ||
    (target.environment !== undefined && environments.includes(target.environment));
  const inApplication =
    applications.length === 0 ||
    (target.application !== undefined && applications.includes(target.application));
  return inEnvironment && inApplication;
}

/**
 * For pages whose verbs look at the target: throws `forbidden` when the role is too low, whatever the
 * actor's limits.
 */
export function requireRole({ actor }: Ctx, permission: Permission): void {
  if (actor.kind === "system" || actor.kind === "schedule" || roleAllows(actor.role, permission)) return;
  throw new HoldfastError(
    "forbidden",
    `This needs the role ${LEAST_ROLE[permission]}; you are ${actor.role}.`,
    { remedy: "Ask an admin to do it, or to change your role under Settings, Members." },
  );
}

/** Why a check refuses, for a page that then says so in its own place; null when it lets through. */
export function refusal(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (isHoldfastError(error) && error.code === "forbidden") return error.message;
    throw error;
  }
}

/**
 * First line of every verb. Throws `forbidden` when the role is too low. A target out of the actor's
 * limits is `not_found`, so that its existence is not told. Without a target, an actor limited to
 * environments or applications may still read and work on its own account, nothing else.
 */
export function requirePermission(ctx: Ctx, permission: Permission, target?: Target): void {
  requireRole(ctx, permission);
  const { actor } = ctx;
  if (actor.kind === "system" || actor.kind === "schedule") return;
  if (target) {
    if (!inScope(actor, target))
      throw new HoldfastError("not_found", "There is no such thing, or it is out of your limits.");
    return;
  }
  const limited = actor.scope.environments.length > 0 || actor.scope.applications.length > 0;
  if (limited && permission !== "read" && permission !== "account.own") {
    throw new HoldfastError(
      "forbidden",
      "Your access is limited to some environments or applications; this concerns all of them.",
    );
  }
}
