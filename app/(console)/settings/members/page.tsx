import type { Metadata } from "next";
import { MembersPage } from "@/components/settings/members/members-page";
import { requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import {
  endMemberSessionsAction,
  inviteAction,
  resetPasswordAction,
  resetTotpAction,
  revokeInviteAction,
  updateMemberAction,
} from "./actions";

export const metadata: Metadata = { title: "Members" };

export default async function Page() {
  requirePermission(await requireCtx(), "member.read");
  return (
    <MembersPage
      actions={{
        invite: inviteAction,
        revokeInvite: revokeInviteAction,
        update: updateMemberAction,
        resetPassword: resetPasswordAction,
        resetTotp: resetTotpAction,
        endSessions: endMemberSessionsAction,
      }}
    />
  );
}
