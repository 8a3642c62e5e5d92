import type { Metadata } from "next";
import { BackupList } from "@/components/backups/backup-list";
import { roleAllows } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import { runBackupAction } from "./actions";

export const metadata: Metadata = { title: "Backups" };

export default async function Page() {
  const { actor } = await requireCtx();
  const mayRun = actor.kind === "user" && roleAllows(actor.role, "backup.run");
  return <BackupList mayRun={mayRun} start={runBackupAction} />;
}
