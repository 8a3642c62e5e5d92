import type { Metadata } from "next";
import { RecoveryKitSteps } from "@/components/auth/recovery-kit";
import { requireCtx } from "@/lib/auth/session";
import { getKeys } from "@/lib/keys/get-keys";
import { confirmRecoveryKitAction, makeRecoveryKitAction } from "../actions";

export const metadata: Metadata = { title: "Recovery kit" };

export default async function Page() {
  const ctx = await requireCtx();
  const { recoveryKit } = await getKeys(ctx);
  return (
    <RecoveryKitSteps
      make={makeRecoveryKitAction}
      confirm={confirmRecoveryKitAction}
      replaces={recoveryKit.addedAt !== null}
    />
  );
}
