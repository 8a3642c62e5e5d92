import type { Metadata } from "next";
import { OperationPage } from "@/components/operations/operation-page";
import { roleAllows } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { cancelOperationAction } from "../actions";

export const metadata: Metadata = { title: "Operation" };

export default async function Page({ params }: { params: Promise<{ operation: string }> }) {
  const { operation } = await params;
  const { actor } = await requireCtx();
  const mayCancel = actor.kind === "user" && roleAllows(actor.role, "operation.cancel");
  return <OperationPage id={operation} mayCancel={mayCancel} cancel={cancelOperationAction} />;
}
