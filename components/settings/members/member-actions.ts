import type { ServerAction } from "@/components/ui/action-result";
import type { InviteDto, MemberDto } from "@/lib/members/schema";
import type { NewInvite } from "./invite-dialog";

export interface MemberChange {
  member: string;
  role?: MemberDto["role"];
  environments?: string[];
  disabled?: boolean;
}
export interface MemberActions {
  invite: ServerAction<NewInvite, InviteDto & { url: string }>;
  revokeInvite: ServerAction<{ invite: string }, unknown>;
  update: ServerAction<MemberChange, MemberDto>;
  resetPassword: ServerAction<{ member: string }, { temporaryPassword: string }>;
  resetTotp: ServerAction<{ member: string }, unknown>;
  endSessions: ServerAction<{ member: string }, unknown>;
}
