import type { Metadata } from "next";
import { EditPage } from "@/components/databases/edit-page";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requireRole } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { testConnectionAction, updateDatabaseAction } from "../../actions";

export const metadata: Metadata = { title: "Edit a database" };

export default async function Page({ params }: { params: Promise<{ database: string }> }) {
  const { database } = await params;
  const ctx = await requireCtx();
  const refused = refusal(() => requireRole(ctx, "database.write"));
  if (refused) return <RefusedPage reason={refused} />;
  return (
    <EditPage name={decodeURIComponent(database)} update={updateDatabaseAction} test={testConnectionAction} />
  );
}
