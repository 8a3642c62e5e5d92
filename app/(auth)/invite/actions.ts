"use server";
import { actAsNobody } from "@/lib/actions/act";
import { acceptInvite } from "@/lib/members/accept-invite";

export async function acceptInviteAction(input: { token: string; password: string }) {
  return await actAsNobody((ctx) => acceptInvite(ctx, input));
}
