import type { Metadata } from "next";
import { TokensPage } from "@/components/settings/tokens-page";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { createTokenAction, revokeTokenAction } from "./actions";

export const metadata: Metadata = { title: "API tokens" };

export default async function Page() {
  const ctx = await requireCtx();
  const refused = refusal(() => requirePermission(ctx, "token.write"));
  if (refused) return <RefusedPage reason={refused} />;
  return <TokensPage actions={{ create: createTokenAction, revoke: revokeTokenAction }} />;
}
