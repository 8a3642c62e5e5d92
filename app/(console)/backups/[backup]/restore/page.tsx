import type { Metadata } from "next";
import { RestoreWizard } from "@/components/backups/restore/restore-wizard";
import { RefusedPage } from "@/components/ui/failed-page";
import { refusal, requireRole } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { restoreBackupAction } from "../../actions";

export const metadata: Metadata = { title: "Restore" };

export default async function Page({ params }: { params: Promise<{ backup: string }> }) {
  const { backup } = await params;
  const ctx = await requireCtx();
  const refused = refusal(() => requireRole(ctx, "backup.restore"));
  if (refused) return <RefusedPage reason={refused} />;
  return <RestoreWizard id={backup} restore={restoreBackupAction} />;
}
