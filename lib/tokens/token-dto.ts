import type { ApiToken } from "../db/generated/client.ts";
import type { TokenDto } from "./schema.ts";

export function toToken(token: ApiToken, nameOf: (id: string) => string): TokenDto {
  return {
    id: token.id,
    name: token.name,
    prefix: token.prefix,
    role: token.role,
    environments: token.scopeEnvironments,
    applications: token.scopeApplications,
    createdBy: nameOf(token.createdBy),
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt?.toISOString() ?? null,
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
  };
}
