import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { RecoveryKitSteps } from "@/components/auth/recovery-kit";
import { refusal, requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { getKeys } from "@/lib/keys/get-keys";
import { confirmRecoveryKitAction, makeRecoveryKitAction } from "../actions";

export const metadata: Metadata = { title: "Recovery kit" };

export default async function Page() {
  const ctx = await requireCtx();
  // There it is said why, in the console's frame.
  if (refusal(() => requirePermission(ctx, "key.write"))) redirect("/settings/keys");
  const { recoveryKit } = await getKeys(ctx);
  return (
    <RecoveryKitSteps
      make={makeRecoveryKitAction}
      confirm={confirmRecoveryKitAction}
      replaces={recoveryKit.addedAt !== null}
    />
  );
}
