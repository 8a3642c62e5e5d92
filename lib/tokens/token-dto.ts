import { lowerRole } from "../auth/grantable.ts";
import type { Role } from "../context.ts";
import type { ApiToken } from "../db/generated/client.ts";
import type { TokenDto } from "./schema.ts";

/** What an API token's state depends on, beside the token. */
export const WITH_OWNER = { owner: { select: { disabledAt: true, role: true } } } as const;
type OwnedToken = ApiToken & { owner: { disabledAt: Date | null; role: Role } | null };

/** The role that a token has now: its own, or its owner's where that has become a lower one. */
export function tokenRole({ role, owner }: OwnedToken): Role {
  return owner ? lowerRole(role, owner.role) : role;
}

/** Whether a token is answered, and if not, why. */
export function tokenState(token: OwnedToken, now: Date): TokenDto["state"] {
  if (token.owner?.disabledAt) return "owner-disabled";
  return token.expiresAt && token.expiresAt <= now ? "expired" : "works";
}

export function toToken(token: OwnedToken, nameOf: (id: string) => string, now: Date): TokenDto {
  return {
    id: token.id,
    name: token.name,
    prefix: token.prefix,
    state: tokenState(token, now),
    role: tokenRole(token),
    environments: token.scopeEnvironments,
    applications: token.scopeApplications,
    createdBy: nameOf(token.createdBy),
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt?.toISOString() ?? null,
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
  };
}
