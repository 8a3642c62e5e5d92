import { copyBackupHandler } from "../lib/backups/operations/copy-backup.handler.ts";
import { removeBackupsHandler } from "../lib/backups/operations/remove-backups.handler.ts";
import { restoreBackupHandler } from "../lib/backups/operations/restore-backup.handler.ts";
import { runBackupHandler } from "../lib/backups/operations/run-backup.handler.ts";
import { verifyBackupHandler } from "../lib/backups/operations/verify-backup.handler.ts";
import { preflightHandler } from "../lib/databases/operations/preflight.handler.ts";
import { testConnectionHandler } from "../lib/databases/operations/test-connection.handler.ts";
import type { OperationHandler } from "../lib/operations/handler.ts";

/** Every kind of operation that this version can do. */
export const handlers: readonly OperationHandler[] = [
  runBackupHandler,
  verifyBackupHandler,
  copyBackupHandler,
  removeBackupsHandler,
  restoreBackupHandler,
  preflightHandler,
  testConnectionHandler,
];
