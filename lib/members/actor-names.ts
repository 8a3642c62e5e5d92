import type { Tx } from "../db/client.ts";
import { isId } from "../ids.ts";

/** Names of the users and tokens with these ids; what is no id (the system's own name) stands for itself. */
export async function actorNames(tx: Tx, ids: string[]): Promise<(id: string) => string> {
  const wanted = [...new Set(ids)].filter(isId);
  const users = await tx.user.findMany({ where: { id: { in: wanted } }, select: { id: true, name: true } });
  const tokens = await tx.apiToken.findMany({
    where: { id: { in: wanted } },
    select: { id: true, name: true },
  });
  const names = new Map([...tokens, ...users].map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}
