import type { Metadata } from "next";
import { KeysPage } from "@/components/settings/keys-page";
import { requirePermission } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { rotateKeysAction } from "./actions";

export const metadata: Metadata = { title: "Keys" };

export default async function Page() {
  requirePermission(await requireCtx(), "key.write");
  return <KeysPage rotate={rotateKeysAction} />;
}
