"use server";
import { act } from "@/lib/actions/act";
import { confirmPassword } from "@/lib/auth/confirm-password";
import { copyBackup } from "@/lib/backups/copy-backup";
import { deleteBackup } from "@/lib/backups/delete-backup";
import { pinBackup, unpinBackup } from "@/lib/backups/pin-backup";
import { restoreBackup } from "@/lib/backups/restore-backup";
import { runBackup } from "@/lib/backups/run-backup";
import { verifyBackup } from "@/lib/backups/verify-backup";

export async function runBackupAction(input: { database: string; verify: boolean }) {
  return act((ctx) => runBackup(ctx, input));
}

export async function verifyBackupAction({ backup, ...input }: { backup: string; destination?: string }) {
  return act((ctx) => verifyBackup(ctx, backup, input));
}

export async function copyBackupAction({ backup, ...input }: { backup: string; destination?: string }) {
  return act((ctx) => copyBackup(ctx, backup, input));
}

export async function pinBackupAction({ backup, reason }: { backup: string; reason: string }) {
  return act((ctx) => pinBackup(ctx, backup, { reason }));
}

export async function unpinBackupAction({ backup }: { backup: string }) {
  return act((ctx) => unpinBackup(ctx, backup));
}

export async function deleteBackupAction({ backup }: { backup: string }) {
  return act((ctx) => deleteBackup(ctx, backup));
}

export async function restoreBackupAction({
  backup,
  ...input
}: { backup: string } & Parameters<typeof restoreBackup>[2]) {
  return act((ctx) => restoreBackup(ctx, backup, input));
}

/** Checked before the browser fetches the file, so that a wrong password is said beside its field. */
export async function checkPasswordAction({ password }: { password: string }) {
  return act(async (ctx) => {
    await confirmPassword(ctx, password);
    return true;
  });
}
