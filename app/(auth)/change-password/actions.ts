"use server";
import { actBeforePasswordChange } from "@/lib/actions/act";
import { changePassword } from "@/lib/auth/change-password";

export async function changePasswordAction(input: { current: string; password: string }) {
  return await actBeforePasswordChange((ctx) => changePassword(ctx, input));
}
