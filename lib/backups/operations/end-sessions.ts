import type { Ctx } from "../../context.ts";
import { loadAccess } from "../../databases/load-access.ts";
import { engineFor } from "../../engines/registry.ts";
import { HoldfastError } from "../../errors.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import { sessionName } from "../../transfer/session-name.ts";
import type { Writer } from "../storage-clean-up.ts";

/** Ends what a lost worker left open on the server. One that can't be reached has no sessions of ours to end. */
export async function endSessions(ctx: Ctx, keyring: Keyring, databaseId: string, of: Writer): Promise<void> {
  const { operationId } = of;
  const database = await ctx.db.database.findUnique({ where: { id: databaseId }, select: { engine: true } });
  if (!database) return;
  try {
    const access = await loadAccess(ctx, keyring, databaseId);
    const ended = await engineFor(database.engine).endSessions(access, sessionName(of));
    if (ended > 0) ctx.log.info({ operationId, ended }, "ended sessions of a lost attempt");
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    ctx.log.warn({ operationId, why: error.message }, "sessions of a lost attempt could not be looked for");
  }
}
