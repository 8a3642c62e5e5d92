import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { ClaimForm } from "@/components/auth/claim-form";
import { isClaimed } from "@/lib/auth/claim";
import { getRuntime } from "@/lib/runtime";
import { claimAction } from "./actions";

export const metadata: Metadata = { title: "First start" };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ token?: string | string[] }>;
}) {
  if (await isClaimed((await getRuntime()).db)) redirect("/");
  const { token } = await searchParams;
  return <ClaimForm action={claimAction} token={typeof token === "string" ? token : ""} />;
}
