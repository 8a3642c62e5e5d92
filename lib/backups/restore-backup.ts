import type { z } from "zod";
import type { Ctx } from "../context.ts";
import { findDatabase } from "../databases/find-database.ts";
import { namesOwnDatabase, ownDatabaseRefusal } from "../databases/own-database.ts";
import { triggerOf } from "../databases/start-preflight.ts";
import { readableCopies } from "../destinations/readable-copies.ts";
import { engineFor } from "../engines/registry.ts";
import { HoldfastError } from "../errors.ts";
import { getOperation } from "../operations/get-operation.ts";
import type { OperationItem } from "../operations/schema.ts";
import { startOperation } from "../operations/start-operation.ts";
import { findBackup, lockKept, requireKept } from "./find-backup.ts";
import { restoreBackupOperation } from "./operations/restore-backup.ts";
import { auditRestore, restoreTitle } from "./restore-between.ts";
import { restoreBackupInput } from "./schema.ts";

type Target = z.output<typeof restoreBackupInput>["target"];

/**
 * Queues a restore into a new database on the server of `on`, or over an existing one (its name typed; a safety
 * backup comes first). Throws `refused` for a backup without a stored copy, an archived target, or Holdfast's
 * own database; `invalid` for a name that was not typed right or another engine; `conflict` while another
 * restore over the same database is queued or running.
 */
export async function restoreBackup(
  ctx: Ctx,
  backupId: string,
  input: z.input<typeof restoreBackupInput>,
): Promise<OperationItem> {
  const backup = await findBackup(ctx, ctx.db, backupId, "backup.restore");
  const { target, jobs } = restoreBackupInput.parse(input);
  const through = await findDatabase(
    ctx,
    ctx.db,
    target.kind === "new" ? target.on : target.database,
    "backup.restore",
  );
  requireKept(backup);
  requireUsable(backup, through, target);
  const engine = engineFor(through.engine);
  const connection = through.connection as Record<string, unknown>;
  const replaced = target.kind === "new" ? { ...connection, database: target.name } : connection;
  if (namesOwnDatabase(engine, replaced)) throw ownDatabaseRefusal();

  const between = { backup, through };
  const operationId = await ctx.db.$transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM database WHERE id = ${through.id}::uuid FOR UPDATE`;
    await lockKept(tx, backup.id);
    const running = await tx.operation.findFirst({
      where: {
        databaseId: through.id,
        kind: restoreBackupOperation.kind,
        state: { in: ["queued", "running", "cancelling"] },
      },
      select: { id: true, state: true },
    });
    if (running && target.kind === "over") {
      throw new HoldfastError("conflict", `A restore there is ${running.state} already: ${running.id}.`, {
        remedy: `Follow it under Operations (/operations/${running.id}), or cancel it there first.`,
      });
    }
    const id = await startOperation(tx, ctx, restoreBackupOperation, {
      payload: {
        backupId: backup.id,
        databaseId: through.id,
        target:
          target.kind === "new"
            ? { kind: "new", name: target.name, register: target.register }
            : { kind: "over", endSessions: target.endSessions },
        jobs,
      },
      title: restoreTitle(between, target),
      pool: through.pool,
      trigger: triggerOf(ctx),
      databaseId: through.id,
      backupId: backup.id,
    });
    await auditRestore(tx, ctx, "restore", between, {
      of: { operationId: id },
      there: { target: { ...target } },
    });
    return id;
  });
  return await getOperation(ctx, operationId);
}

function requireUsable(
  backup: Awaited<ReturnType<typeof findBackup>>,
  through: Awaited<ReturnType<typeof findDatabase>>,
  target: Target,
): void {
  if (!readableCopies(backup.copies).some((copy) => copy.state === "stored")) {
    throw new HoldfastError("refused", "No copy of this backup that can be read is known to be good.", {
      remedy: "Choose another backup, or verify this one again once its destination is back.",
    });
  }
  if (through.archivedAt) {
    throw new HoldfastError("refused", `${through.name} is archived.`, { remedy: "Bring it back first." });
  }
  if (through.engine !== backup.database.engine) {
    throw new HoldfastError("invalid", `${through.name} is another kind of database than this backup.`, {
      remedy: "Choose one of the same engine.",
      fields: { [target.kind === "new" ? "target.on" : "target.database"]: "another engine" },
    });
  }
  if (target.kind === "over" && target.confirm !== through.name) {
    throw new HoldfastError("invalid", `The typed name is not "${through.name}".`, {
      remedy: "Type the name of the database that will be replaced.",
      fields: { "target.confirm": `type ${through.name}` },
    });
  }
}
