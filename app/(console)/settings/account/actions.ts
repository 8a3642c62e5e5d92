"use server";
import { act } from "@/lib/actions/act";
import { changeEmail } from "@/lib/auth/change-email";
import { changePassword } from "@/lib/auth/change-password";
import { confirmTotp } from "@/lib/auth/confirm-totp";
import { disableTotp } from "@/lib/auth/disable-totp";
import { makeRecoveryCodes } from "@/lib/auth/make-recovery-codes";
import { revokeOtherSessions } from "@/lib/auth/revoke-other-sessions";
import { revokeSession } from "@/lib/auth/revoke-session";
import { startTotp } from "@/lib/auth/start-totp";

export async function changePasswordAction(input: Parameters<typeof changePassword>[1]) {
  return act(async (ctx) => {
    await changePassword(ctx, input);
    return true;
  });
}

export async function changeEmailAction(input: Parameters<typeof changeEmail>[1]) {
  return act(async (ctx) => {
    await changeEmail(ctx, input);
    return true;
  });
}

export async function startTotpAction(input: Parameters<typeof startTotp>[1]) {
  return act((ctx) => startTotp(ctx, input));
}

export async function makeRecoveryCodesAction(input: Parameters<typeof makeRecoveryCodes>[1]) {
  return act((ctx) => makeRecoveryCodes(ctx, input));
}

export async function confirmTotpAction(input: Parameters<typeof confirmTotp>[1]) {
  return act((ctx) => confirmTotp(ctx, input));
}

export async function disableTotpAction(input: Parameters<typeof disableTotp>[1]) {
  return act(async (ctx) => {
    await disableTotp(ctx, input);
    return true;
  });
}

export async function revokeSessionAction(input: { session: string }) {
  return act(async (ctx) => {
    await revokeSession(ctx, input);
    return true;
  });
}

export async function revokeOthersAction(_input: undefined) {
  return act((ctx) => revokeOtherSessions(ctx));
}
