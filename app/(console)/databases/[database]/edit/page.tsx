import type { Metadata } from "next";
import { EditPage } from "@/components/databases/edit-page";
import { requireRole } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { testConnectionAction, updateDatabaseAction } from "../../actions";

export const metadata: Metadata = { title: "Edit a database" };

export default async function Page({ params }: { params: Promise<{ database: string }> }) {
  const { database } = await params;
  requireRole(await requireCtx(), "database.write");
  return (
    <EditPage name={decodeURIComponent(database)} update={updateDatabaseAction} test={testConnectionAction} />
  );
}
