import { emitAudit } from "../audit/emit.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { findDatabase } from "./find-database.ts";
import { startPreflight, triggerOf } from "./start-preflight.ts";

/** Has a worker list everything that is missing or risky. Returns the operation's id. */
export async function requestPreflight(ctx: Ctx, nameOrId: string): Promise<{ id: string }> {
  const database = await findDatabase(ctx, ctx.db, nameOrId, "database.test");
  if (database.archivedAt) {
    throw new HoldfastError("refused", `${database.name} is archived.`, { remedy: "Bring it back first." });
  }
  return await ctx.db.$transaction(async (tx) => {
    const id = await startPreflight(tx, ctx, database, triggerOf(ctx));
    await emitAudit(tx, ctx, {
      action: "database.preflight",
      object: { kind: "database", id: database.id, name: database.name },
      after: { operationId: id },
    });
    return { id };
  });
}
