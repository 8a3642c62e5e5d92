import type { Tx } from "../db/client.ts";
import type { Prisma } from "../db/generated/client.ts";
import type { Selection } from "./coverage.ts";
import type { Timing } from "./next-run.ts";
import type { Rules } from "./retention.ts";
import { blackoutSchema, retentionSchema, scheduleSchema } from "./schema.ts";

export const policyInclude = {
  databases: { include: { database: { select: { name: true } } } },
  destinations: { include: { destination: { select: { name: true, archivedAt: true } } } },
} as const satisfies Prisma.PolicyInclude;

export type PolicyRow = Prisma.PolicyGetPayload<{ include: typeof policyInclude }>;

export function selectionOf(row: { databases: { databaseId: string }[]; patterns: string[] }): Selection {
  return { databaseIds: row.databases.map(({ databaseId }) => databaseId), patterns: row.patterns };
}

export function timingOf(row: { schedule: unknown; zone: string; blackouts: unknown }): Timing {
  return {
    schedule: scheduleSchema.parse(row.schedule),
    zone: row.zone,
    blackouts: blackoutSchema.array().parse(row.blackouts),
  };
}

export function rulesOf(row: { id: string; retention: unknown; zone: string; pausedAt: Date | null }): Rules {
  return {
    id: row.id,
    retention: retentionSchema.parse(row.retention),
    zone: row.zone,
    paused: row.pausedAt !== null,
  };
}

/** The moment by the clock that all processes share: a host whose own is wrong runs nothing early, late or twice. */
export async function sharedTime(tx: Pick<Tx, "$queryRaw">): Promise<Date> {
  const [row] = await tx.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS now`;
  if (!row) throw new Error("the database did not tell the time");
  return row.now;
}
