"use server";
import { act } from "@/lib/actions/act";
import { createToken } from "@/lib/tokens/create-token";
import { revokeToken } from "@/lib/tokens/revoke-token";

export async function createTokenAction(input: Parameters<typeof createToken>[1]) {
  return act((ctx) => createToken(ctx, input));
}

export async function revokeTokenAction(input: { token: string }) {
  return act(async (ctx) => {
    await revokeToken(ctx, input);
    return true;
  });
}
