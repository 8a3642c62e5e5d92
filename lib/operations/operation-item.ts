import type { Db } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";
import type { OperationItem } from "./schema.ts";
import { progressSchema } from "./schema.ts";

/** What the query of an item has to select. */
export const itemSelect = {
  id: true,
  rootId: true,
  kind: true,
  title: true,
  state: true,
  reason: true,
  trigger: true,
  actorKind: true,
  actorName: true,
  database: { select: { name: true } },
  backupId: true,
  attempt: true,
  maxAttempts: true,
  workerId: true,
  progress: true,
  waitsFor: true,
  createdAt: true,
  startedAt: true,
  finishedAt: true,
} satisfies Prisma.OperationSelect;

export type ItemRow = Prisma.OperationGetPayload<{ select: typeof itemSelect }>;

/** Names of the workers that these rows ran on; those that were forgotten are missing. */
export async function workerNames(
  db: Db,
  rows: readonly { workerId: string | null }[],
): Promise<Map<string, string>> {
  const ids = [...new Set(rows.flatMap(({ workerId }) => workerId ?? []))];
  if (ids.length === 0) return new Map();
  const workers = await db.worker.findMany({ where: { id: { in: ids } }, select: { id: true, name: true } });
  return new Map(workers.map(({ id, name }) => [id, name]));
}

export function toItem(row: ItemRow, workers: ReadonlyMap<string, string>): OperationItem {
  const { actorKind, actorName, workerId, database, createdAt, startedAt, finishedAt, progress, ...rest } =
    row;
  return {
    ...rest,
    actor: { kind: actorKind, name: actorName },
    database: database?.name ?? null,
    worker: workerId === null ? null : (workers.get(workerId) ?? null),
    progress: progressSchema.nullable().catch(null).parse(progress),
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
