import type { Metadata } from "next";
import { KeysPage } from "@/components/settings/keys-page";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { rotateKeysAction } from "./actions";

export const metadata: Metadata = { title: "Keys" };

export default async function Page() {
  const ctx = await requireCtx();
  const refused = refusal(() => requirePermission(ctx, "key.write"));
  if (refused) return <RefusedPage reason={refused} />;
  return <KeysPage rotate={rotateKeysAction} />;
}
