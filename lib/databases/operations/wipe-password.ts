import type { Tx } from "../../db/client.ts";

/** Takes the sealed password out of an ended connection test. */
export async function wipePassword(tx: Tx, operationId: string): Promise<void> {
  await tx.$executeRaw`UPDATE operation SET payload = payload || '{"passwordSealed": null}'::jsonb
    WHERE id = ${operationId}::uuid AND kind = 'database.test'`;
}
