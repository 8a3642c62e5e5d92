import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";

/** A registered database with what actors are limited by. */
interface Side {
  id: string;
  name: string;
  application: string;
  environment: { name: string };
}

/** A backup, and the database that it is restored through. */
interface Between {
  backup: { id: string; database: Side };
  through: Side;
}

/** Whether everybody who sees one of them sees the other, whatever their limits. */
export function seenTogether({ backup: { database }, through }: Between): boolean {
  return (
    database.application === through.application && database.environment.name === through.environment.name
  );
}

/** An operation is shown to all who see the database that it goes through; its title says no more than they may know. */
export function restoreTitle(
  between: Between,
  target: { kind: "new"; name: string } | { kind: "over" },
): string {
  const { backup, through } = between;
  const what = seenTogether(between) ? backup.database.name : "a backup of another database";
  return target.kind === "new"
    ? `Restore ${what} into the new database ${target.name}`
    : `Restore ${what} over ${through.name}`;
}

/**
 * Audits a change that a restore makes: on the backup that is restored, and apart from it on the database that it
 * goes through, where not everybody who sees one of them sees the other.
 */
export async function auditRestore(
  tx: Tx,
  ctx: Ctx,
  action: "restore" | "restored",
  between: Between,
  /** Of the restore itself, and of what it is about there. */
  after: { of: Record<string, unknown>; there: Record<string, unknown> },
): Promise<void> {
  const { backup, through } = between;
  const together = seenTogether(between);
  await emitAudit(tx, ctx, {
    action: `backup.${action}`,
    object: { kind: "backup", id: backup.id, name: backup.database.name },
    after: together ? { ...after.of, ...after.there, through: through.name } : after.of,
  });
  if (together) return;
  await emitAudit(tx, ctx, {
    action: `database.${action}`,
    object: { kind: "database", id: through.id, name: through.name },
    after: { ...after.of, ...after.there },
  });
}
