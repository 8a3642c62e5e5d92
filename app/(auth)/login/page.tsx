import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { safePath } from "@/components/auth/auth-client";
import { LoginForm } from "@/components/auth/login-form";
import { isClaimed } from "@/lib/auth/claim";
import { currentCtx } from "@/lib/auth/session";
import { getRuntime } from "@/lib/runtime";

export const metadata: Metadata = { title: "Sign in" };

type Search = Promise<{ callbackUrl?: string | string[]; error?: string }>;

export default async function Page({ searchParams }: { searchParams: Search }) {
  const { callbackUrl } = await searchParams;
  const target = typeof callbackUrl === "string" ? callbackUrl : null;
  if (await currentCtx()) redirect(safePath(target));
  if (!(await isClaimed((await getRuntime()).db))) redirect("/setup");
  return (
    <LoginForm
      callbackUrl={target}
      notice={target && target !== "/" ? "Then you go on to where you were." : null}
    />
  );
}
