"use server";
import { act } from "@/lib/actions/act";
import { createInvite } from "@/lib/members/create-invite";
import { resetPassword } from "@/lib/members/reset-password";
import { resetTotp } from "@/lib/members/reset-totp";
import { revokeInvite } from "@/lib/members/revoke-invite";
import { revokeMemberSession, revokeMemberSessions } from "@/lib/members/revoke-member-sessions";
import { updateMember } from "@/lib/members/update-member";

export async function inviteAction(input: Parameters<typeof createInvite>[1]) {
  return act((ctx) => createInvite(ctx, input));
}

export async function revokeInviteAction(input: { invite: string }) {
  return act(async (ctx) => {
    await revokeInvite(ctx, input);
    return true;
  });
}

export async function updateMemberAction(input: Parameters<typeof updateMember>[1]) {
  return act((ctx) => updateMember(ctx, input));
}

export async function resetPasswordAction(input: { member: string }) {
  return act((ctx) => resetPassword(ctx, input));
}

export async function resetTotpAction(input: { member: string }) {
  return act((ctx) => resetTotp(ctx, input));
}

export async function endMemberSessionsAction(input: { member: string }) {
  return act((ctx) => revokeMemberSessions(ctx, input));
}

export async function endMemberSessionAction(input: { member: string; session: string }) {
  return act(async (ctx) => {
    await revokeMemberSession(ctx, input);
    return true;
  });
}
