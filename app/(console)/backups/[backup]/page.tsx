import type { Metadata } from "next";
import { BackupPage } from "@/components/backups/backup-page";
import { type Permission, roleAllows } from "@/lib/auth/permissions";
import { requireCtx } from "@/lib/auth/session";
import {
  checkPasswordAction,
  copyBackupAction,
  deleteBackupAction,
  pinBackupAction,
  unpinBackupAction,
  verifyBackupAction,
} from "../actions";

export const metadata: Metadata = { title: "Backup" };

export default async function Page({ params }: { params: Promise<{ backup: string }> }) {
  const { backup } = await params;
  const { actor } = await requireCtx();
  const may = (permission: Permission) => actor.kind === "user" && roleAllows(actor.role, permission);
  const rights = {
    verify: may("backup.verify"),
    copy: may("backup.copy"),
    restore: may("backup.restore"),
    download: may("backup.download"),
    pin: may("backup.pin"),
    remove: may("backup.delete"),
  };
  return (
    <BackupPage
      id={backup}
      rights={rights}
      verify={verifyBackupAction}
      copy={copyBackupAction}
      keeping={{ pin: pinBackupAction, unpin: unpinBackupAction, remove: deleteBackupAction }}
      checkPassword={checkPasswordAction}
    />
  );
}
