import type { Metadata } from "next";
import { RegisterPage } from "@/components/databases/register-page";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requireRole } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { createDatabaseAction, testConnectionAction } from "../actions";

export const metadata: Metadata = { title: "Register a database" };

export default async function Page() {
  const ctx = await requireCtx();
  const refused = refusal(() => requireRole(ctx, "database.write"));
  if (refused) return <RefusedPage reason={refused} />;
  return <RegisterPage create={createDatabaseAction} test={testConnectionAction} />;
}
