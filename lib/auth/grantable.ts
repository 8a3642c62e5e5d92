import type { Ctx, Role } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { HoldfastError } from "../errors.ts";

const ORDER: Role[] = ["viewer", "operator", "admin"];

export function lowerRole(a: Role, b: Role): Role {
  return ORDER.indexOf(a) < ORDER.indexOf(b) ? a : b;
}

interface Grant {
  role: Role;
  environments: string[];
  applications: string[];
}

/**
 * Nobody hands out more than they have: not a higher role, nor access outside their own limits. Environments
 * must exist. Throws `forbidden` or `invalid` with fields.
 */
export async function requireGrantable(tx: Tx, ctx: Ctx, grant: Grant): Promise<void> {
  const known = await tx.environment.findMany({ select: { name: true } });
  const names = new Set(known.map(({ name }) => name));
  const missing = grant.environments.filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw new HoldfastError("invalid", `There is no environment ${missing.join(", ")}.`, {
      remedy: `Choose among ${[...names].join(", ")}.`,
      fields: { environments: "unknown environment" },
    });
  }
  const { actor } = ctx;
  if (actor.kind === "system" || actor.kind === "schedule") return;
  if (ORDER.indexOf(grant.role) > ORDER.indexOf(actor.role)) {
    throw new HoldfastError("forbidden", `You are ${actor.role} and can't hand out the role ${grant.role}.`);
  }
  const { environments, applications } = actor.scope;
  if (!within(grant.environments, environments) || !within(grant.applications, applications)) {
    throw new HoldfastError("forbidden", "This would reach further than your own access does.");
  }
}

function within(wanted: string[], limit: string[]): boolean {
  return limit.length === 0 || (wanted.length > 0 && wanted.every((name) => limit.includes(name)));
}
