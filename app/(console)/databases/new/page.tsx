import type { Metadata } from "next";
import { RegisterPage } from "@/components/databases/register-page";
import { requireRole } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { createDatabaseAction, testConnectionAction } from "../actions";

export const metadata: Metadata = { title: "Register a database" };

export default async function Page() {
  requireRole(await requireCtx(), "database.write");
  return <RegisterPage create={createDatabaseAction} test={testConnectionAction} />;
}
