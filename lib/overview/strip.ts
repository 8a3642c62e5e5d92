import type { Ctx } from "../context.ts";
import { scopeConditions } from "../databases/select-databases.ts";
import { Prisma } from "../db/generated/client.ts";
import type { Overview } from "./schema.ts";

type StripItem = Overview["strip"][number];

const DAY_MS = 86_400_000;
/** Blocks per kind; more could not be told apart. */
const MOST = 200;
const KINDS = [
  { kind: "backup", operation: "backup.run" },
  { kind: "proof", operation: "backup.verify" },
  { kind: "restore", operation: "backup.restore" },
];

interface Row {
  id: string;
  state: string;
  title: string;
  verdict: string | null;
  from: Date;
  to: Date | null;
}

/** What ran in the last 24 hours, the newest of each kind. */
export async function lastDay(ctx: Ctx, environment: string | undefined): Promise<StripItem[]> {
  const now = ctx.clock.now();
  const since = new Date(now.getTime() - DAY_MS);
  const limits = [
    ...scopeConditions(ctx.actor),
    ...(environment ? [Prisma.sql`v.name = ${environment}`] : []),
  ];
  const within =
    limits.length === 0
      ? Prisma.empty
      : Prisma.sql`AND o.database_id IN (
    SELECT d.id FROM database d JOIN environment v ON v.id = d.environment_id WHERE ${Prisma.join(limits, " AND ")})`;
  const found = await Promise.all(
    KINDS.map(async ({ kind, operation }) => {
      const rows = await ctx.db.$queryRaw<Row[]>`
        SELECT o.id::text, o.state::text, o.title, o.result->>'verdict' AS verdict,
          coalesce(o.started_at, o.created_at) AS from, o.finished_at AS to
        FROM operation o
        WHERE o.kind = ${operation} AND o.created_at >= ${since} AND o.state NOT IN ('queued', 'cancelled') ${within}
        ORDER BY o.created_at DESC, o.id DESC LIMIT ${MOST}`;
      return rows.map((row) => itemOf(row, kind, now));
    }),
  );
  return found.flat();
}

function itemOf(row: Row, kind: string, now: Date): StripItem {
  return {
    kind,
    state: stateOf(row),
    from: row.from.toISOString(),
    to: (row.to ?? now).toISOString(),
    title: row.title,
    href: `/operations/${row.id}`,
  };
}

function stateOf({ state, verdict }: Row): StripItem["state"] {
  if (state === "running" || state === "cancelling") return "running";
  if (verdict === "unverifiable") return "warning";
  return state === "succeeded" ? "ok" : "problem";
}
