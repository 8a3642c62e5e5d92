import type { Tx } from "../db/client.ts";
import { Prisma } from "../db/generated/client.ts";

/** Writes down what has to be taken back or explained if the operation breaks off, or that there is nothing. */
export async function writeUnsettled(
  tx: Tx,
  operationId: string,
  what: Record<string, unknown> | null,
): Promise<void> {
  const unsettled =
    what === null ? Prisma.DbNull : (JSON.parse(JSON.stringify(what)) as Prisma.InputJsonObject);
  await tx.operation.update({ where: { id: operationId }, data: { unsettled } });
}

/** What is written down, as it is now; null when there is nothing. */
export async function readUnsettled(tx: Tx, operationId: string): Promise<unknown> {
  const row = await tx.operation.findUniqueOrThrow({
    where: { id: operationId },
    select: { unsettled: true },
  });
  return row.unsettled;
}
