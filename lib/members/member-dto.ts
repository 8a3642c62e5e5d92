import type { User } from "../db/generated/client.ts";
import type { MemberDto } from "./schema.ts";

/** A user as the API tells of them: nothing that is secret. */
export function toMember(user: User): MemberDto {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    role: user.role,
    environments: user.scopeEnvironments,
    applications: user.scopeApplications,
    totp: user.totpEnabledAt !== null,
    disabledAt: user.disabledAt?.toISOString() ?? null,
    lastLoginAt: user.lastLoginAt?.toISOString() ?? null,
    createdAt: user.createdAt.toISOString(),
  };
}
