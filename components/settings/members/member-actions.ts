import type { ServerAction } from "@/components/ui/action-result";
import type { InviteDto, MemberDto } from "@/lib/members/schema";
import type { NewInvite } from "./invite-dialog";

export interface MemberChange {
  member: string;
  name?: string;
  role?: MemberDto["role"];
  environments?: string[];
  applications?: string[];
  disabled?: boolean;
}
export interface MemberActions {
  invite: ServerAction<NewInvite, InviteDto & { url: string }>;
  revokeInvite: ServerAction<{ invite: string }, unknown>;
  update: ServerAction<MemberChange, MemberDto>;
  resetPassword: ServerAction<{ member: string }, { temporaryPassword: string }>;
  resetTotp: ServerAction<{ member: string }, unknown>;
  endSession: ServerAction<{ member: string; session: string }, unknown>;
  endSessions: ServerAction<{ member: string }, unknown>;
  revokeToken: ServerAction<{ token: string }, unknown>;
}
