"use server";
import type { ClaimValues } from "@/components/auth/claim-form";
import { act, actAsNobody } from "@/lib/actions/act";
import { claim } from "@/lib/auth/claim";
import { confirmRecoveryKit } from "@/lib/keys/confirm-recovery-kit";
import { makeRecoveryKit } from "@/lib/keys/make-recovery-kit";

export async function claimAction(input: ClaimValues) {
  return await actAsNobody((ctx) => claim(ctx, input));
}

export async function makeRecoveryKitAction() {
  return await act((ctx) => makeRecoveryKit(ctx));
}

export async function confirmRecoveryKitAction(input: { ending: string }) {
  return await act((ctx) => confirmRecoveryKit(ctx, input));
}
