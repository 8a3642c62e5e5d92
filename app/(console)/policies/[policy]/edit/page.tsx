import type { Metadata } from "next";
import { EditPolicyPage } from "@/components/policies/policy-editor";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { simulatePolicyAction, updatePolicyAction } from "../../actions";

export const metadata: Metadata = { title: "Edit a policy" };

export default async function Page({ params }: { params: Promise<{ policy: string }> }) {
  const { policy } = await params;
  const ctx = await requireCtx();
  const refused = refusal(() => requirePermission(ctx, "policy.write"));
  if (refused) return <RefusedPage reason={refused} />;
  return (
    <EditPolicyPage
      name={decodeURIComponent(policy)}
      update={updatePolicyAction}
      simulate={simulatePolicyAction}
    />
  );
}
