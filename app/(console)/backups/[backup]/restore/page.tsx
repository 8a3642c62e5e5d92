import type { Metadata } from "next";
import { RestoreWizard } from "@/components/backups/restore/restore-wizard";
import { requireRole } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { restoreBackupAction } from "../../actions";

export const metadata: Metadata = { title: "Restore" };

export default async function Page({ params }: { params: Promise<{ backup: string }> }) {
  const { backup } = await params;
  requireRole(await requireCtx(), "backup.restore");
  return <RestoreWizard id={backup} restore={restoreBackupAction} />;
}
