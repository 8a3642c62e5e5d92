import type { Metadata } from "next";
import { MembersPage } from "@/components/settings/members/members-page";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { revokeTokenAction } from "../tokens/actions";
import {
  endMemberSessionAction,
  endMemberSessionsAction,
  inviteAction,
  resetPasswordAction,
  resetTotpAction,
  revokeInviteAction,
  updateMemberAction,
} from "./actions";

export const metadata: Metadata = { title: "Members" };

export default async function Page() {
  const ctx = await requireCtx();
  const refused = refusal(() => requirePermission(ctx, "member.read"));
  if (refused) return <RefusedPage reason={refused} />;
  return (
    <MembersPage
      actions={{
        invite: inviteAction,
        revokeInvite: revokeInviteAction,
        update: updateMemberAction,
        resetPassword: resetPasswordAction,
        resetTotp: resetTotpAction,
        endSession: endMemberSessionAction,
        endSessions: endMemberSessionsAction,
        revokeToken: revokeTokenAction,
      }}
    />
  );
}
