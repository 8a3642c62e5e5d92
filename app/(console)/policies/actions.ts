"use server";
import type { z } from "zod";
import { act } from "@/lib/actions/act";
import { createPolicy } from "@/lib/policies/create-policy";
import { archivePolicy, pausePolicy, resumePolicy } from "@/lib/policies/pause-policy";
import { runPolicy } from "@/lib/policies/run-policy";
import type { CreatePolicyInput, simulatePolicyInput, UpdatePolicyInput } from "@/lib/policies/schema";
import { simulateDraft } from "@/lib/policies/simulate-policy";
import { updatePolicy } from "@/lib/policies/update-policy";

interface One {
  policy: string;
}

export async function createPolicyAction(input: CreatePolicyInput) {
  return await act((ctx) => createPolicy(ctx, input));
}

export async function updatePolicyAction({ policy, change }: One & { change: UpdatePolicyInput }) {
  return await act((ctx) => updatePolicy(ctx, policy, change));
}

export async function simulatePolicyAction(input: z.input<typeof simulatePolicyInput>) {
  return await act((ctx) => simulateDraft(ctx, input));
}

export async function runPolicyAction({ policy }: One) {
  return await act((ctx) => runPolicy(ctx, policy));
}

export async function pausePolicyAction({ policy }: One) {
  return await act((ctx) => pausePolicy(ctx, policy));
}

export async function resumePolicyAction({ policy }: One) {
  return await act((ctx) => resumePolicy(ctx, policy));
}

export async function archivePolicyAction({ policy }: One) {
  return await act((ctx) => archivePolicy(ctx, policy));
}
