import type { Metadata } from "next";
import { NewPolicyPage } from "@/components/policies/policy-editor";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { createPolicyAction, simulatePolicyAction } from "../actions";

export const metadata: Metadata = { title: "New policy" };

export default async function Page() {
  const ctx = await requireCtx();
  const refused = refusal(() => requirePermission(ctx, "policy.write"));
  if (refused) return <RefusedPage reason={refused} />;
  return <NewPolicyPage create={createPolicyAction} simulate={simulatePolicyAction} />;
}
