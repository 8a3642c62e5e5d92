import type { Metadata } from "next";
import { TokensPage } from "@/components/settings/tokens-page";
import { requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { createTokenAction, revokeTokenAction } from "./actions";

export const metadata: Metadata = { title: "API tokens" };

export default async function Page() {
  requirePermission(await requireCtx(), "token.write");
  return <TokensPage actions={{ create: createTokenAction, revoke: revokeTokenAction }} />;
}
