import { orAbort } from "../abort.ts";
import type { Ctx } from "../context.ts";
import { engineFor } from "../engines/registry.ts";
import { HoldfastError } from "../errors.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { loadAccess } from "./load-access.ts";

const LONGEST_MS = 20_000;

/**
 * Asks a registered database's server who it is, and remembers it with the registration. Throws `not_found` when
 * the registration is gone, what keeps us from the server otherwise.
 */
export async function identifyServer(ctx: Ctx, databaseId: string, signal: AbortSignal): Promise<string> {
  const row = await ctx.db.database.findUnique({
    where: { id: databaseId },
    select: { engine: true, version: true, serverIdentity: true },
  });
  if (!row) throw new HoldfastError("not_found", "The database is not registered any more.");
  const access = await loadAccess(ctx, await processKeyring(), databaseId);
  const late = AbortSignal.timeout(LONGEST_MS);
  let identity: string;
  try {
    const over = AbortSignal.any([signal, late]);
    // A disk that holds its calls can't be told to stop.
    identity = await orAbort(over, engineFor(row.engine).identify(access, over));
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    throw new HoldfastError("timeout", `The database server gave no answer for ${LONGEST_MS / 1000} s.`, {
      remedy: "Look at its load and at the network between, then try again.",
    });
  }
  if (identity !== row.serverIdentity) {
    // Not over what somebody has entered since: another connection leads to another server.
    const where = { id: databaseId, version: row.version };
    await ctx.db.database.updateMany({ where, data: { serverIdentity: identity } });
  }
  return identity;
}
