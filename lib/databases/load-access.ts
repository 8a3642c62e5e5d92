import type { Ctx } from "../context.ts";
import type { Access } from "../engines/engine.ts";
import { HoldfastError } from "../errors.ts";
import { refuseForbiddenHost } from "../network/forbidden-address.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { databaseAad } from "../secrets/sealed-columns.ts";

/**
 * How to reach a registered database, password opened; for handlers. Throws `not_found` when it is gone,
 * `unavailable` when its key is not here, `invalid` when its host is, by now, a forbidden address.
 */
export async function loadAccess(
  ctx: Pick<Ctx, "db">,
  keyring: Keyring,
  databaseId: string,
): Promise<Access> {
  const database = await ctx.db.database.findUnique({
    where: { id: databaseId },
    select: { connection: true, secretSealed: true },
  });
  if (!database) throw new HoldfastError("not_found", "The database is not registered any more.");
  const connection = database.connection as Record<string, unknown>;
  await refuseForbiddenHost(connection);
  if (database.secretSealed === null) return { connection };
  return { connection, password: keyring.open(database.secretSealed, databaseAad(databaseId)) };
}
