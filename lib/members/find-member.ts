import type { Tx } from "../db/client.ts";
import type { User } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";

/** The user with this id. Throws `not_found`. */
export async function findMember(tx: Tx, id: string): Promise<User> {
  const user = isId(id) ? await tx.user.findUnique({ where: { id } }) : null;
  if (!user) throw new HoldfastError("not_found", "There is no such member.");
  return user;
}
