import type { Invite } from "../db/generated/client.ts";
import type { InviteDto } from "./schema.ts";

export function toInvite(invite: Invite, nameOf: (id: string) => string): InviteDto {
  return {
    id: invite.id,
    email: invite.email,
    name: invite.name,
    role: invite.role,
    environments: invite.scopeEnvironments,
    applications: invite.scopeApplications,
    expiresAt: invite.expiresAt.toISOString(),
    invitedBy: nameOf(invite.invitedBy),
  };
}
