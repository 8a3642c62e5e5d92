import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { ChangePasswordForm } from "@/components/auth/change-password-form";
import { currentSession } from "@/lib/auth/session";
import { changePasswordAction } from "./actions";

export const metadata: Metadata = { title: "Change your password" };

export default async function Page() {
  const session = await currentSession();
  if (!session) redirect("/login");
  if (!session.mustChangePassword) redirect("/");
  return <ChangePasswordForm action={changePasswordAction} />;
}
