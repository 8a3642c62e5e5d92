import type { Metadata } from "next";
import { AuditPage } from "@/components/audit/audit-page";
import { roleAllows } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { verifyAuditAction } from "./actions";

export const metadata: Metadata = { title: "Audit" };

export default async function Page() {
  const { actor } = await requireCtx();
  const mayExport = actor.kind === "user" && roleAllows(actor.role, "audit.export");
  return <AuditPage mayExport={mayExport} verify={verifyAuditAction} />;
}
