import type { DatabaseItem } from "@/lib/databases/schema";

const URGENCY: Record<DatabaseItem["recoverable"]["state"], number> = {
  problem: 0,
  warning: 1,
  running: 2,
  unknown: 3,
  ok: 4,
};

/** The first `count` by how much they need someone; among equals the given order stays. */
export function mostUrgent(databases: DatabaseItem[], count: number): DatabaseItem[] {
  return databases
    .toSorted((a, b) => URGENCY[a.recoverable.state] - URGENCY[b.recoverable.state])
    .slice(0, count);
}

/** Databases by application, in the order in which applications first appear. */
export function byApplication(databases: DatabaseItem[]): [string, DatabaseItem[]][] {
  return [...Map.groupBy(databases, (database) => database.application)];
}
