import type { Metadata } from "next";
import Link from "next/link";
import { AuthHeading } from "@/components/auth/auth-frame";
import { InviteForm } from "@/components/auth/invite-form";
import { anonymousCtx } from "@/lib/auth/session";
import { isHoldfastError } from "@/lib/errors";
import { openInvite } from "@/lib/members/accept-invite";
import { acceptInviteAction } from "./actions";

export const metadata: Metadata = { title: "Invitation" };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ token?: string | string[] }>;
}) {
  const given = (await searchParams).token;
  const token = typeof given === "string" ? given : "";
  try {
    const invite = await openInvite(await anonymousCtx(), { token });
    return <InviteForm token={token} email={invite.email} name={invite.name} action={acceptInviteAction} />;
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return (
      <>
        <AuthHeading title="This invitation can't be used">{`${error.message} ${error.remedy ?? ""}`}</AuthHeading>
        <Link href="/login">Sign in with an account that is there already</Link>
      </>
    );
  }
}
