import { z } from "zod";

const count = z.number().int().min(0).max(10_000);

/**
 * What is kept of a database's backups. Each rule keeps the newest backup of each of so many periods (days, weeks,
 * …) that have one; a backup that any rule keeps stays. With every rule 0 nothing is ever deleted.
 */
export const retentionSchema = z.object({
  last: count.default(0),
  hourly: count.default(0),
  daily: count.default(0),
  weekly: count.default(0),
  monthly: count.default(0),
  yearly: count.default(0),
  /** The newest proven backups that stay, whatever the rules say. */
  proven: z.number().int().min(1).max(1000).default(3),
});
export type Retention = z.infer<typeof retentionSchema>;

/** A finished backup that holds its objects: complete or partial. Failed runs are not asked about. */
export interface Candidate {
  id: string;
  createdAt: Date;
  proven: boolean;
  pinned: boolean;
}

export interface RetentionPlan {
  /** Newest first, each with all the reasons why it stays. */
  keep: { id: string; reasons: string[] }[];
  /** Oldest first. */
  remove: string[];
}

const RULES = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;
type Period = (typeof RULES)[number];

/** Applies the rules to one database's backups. Periods are those of the calendar in `zone`; weeks begin on Monday. */
export function planRetention(backups: readonly Candidate[], rules: Retention, zone: string): RetentionPlan {
  const newestFirst = backups.toSorted(
    (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1),
  );
  const reasons = new Map<string, string[]>(newestFirst.map(({ id }) => [id, []]));
  const keep = (id: string, reason: string) => reasons.get(id)?.push(reason);

  const idle = rules.last === 0 && RULES.every((rule) => rules[rule] === 0);
  if (idle) for (const { id } of newestFirst) keep(id, "no rule deletes");
  for (const { id } of newestFirst.slice(0, rules.last)) keep(id, "last");
  const periodOf = calendar(zone);
  for (const rule of RULES) {
    const seen = new Set<string>();
    for (const { id, createdAt } of newestFirst) {
      const period = periodOf(createdAt)[rule];
      if (seen.size >= rules[rule] || seen.has(period)) continue;
      seen.add(period);
      keep(id, rule);
    }
  }
  for (const { id } of newestFirst.filter(({ pinned }) => pinned)) keep(id, "pinned");
  for (const { id } of newestFirst.filter(({ proven }) => proven).slice(0, rules.proven)) keep(id, "proven");
  const newest = newestFirst[0];
  if (newest) keep(newest.id, "newest");

  const stays = newestFirst.map(({ id }) => ({ id, reasons: reasons.get(id) ?? [] }));
  return {
    keep: stays.filter((one) => one.reasons.length > 0),
    remove: stays
      .filter((one) => one.reasons.length === 0)
      .map(({ id }) => id)
      .reverse(),
  };
}

/** Names of the periods that a moment lies in. */
function calendar(zone: string): (at: Date) => Record<Period, string> {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    hourCycle: "h23",
    // Tells apart the two hours that the clock shows when summer time ends.
    timeZoneName: "longOffset",
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? "";
    const [year, month, day] = [part("year"), part("month"), part("day")];
    return {
      hourly: `${year}-${month}-${day} ${part("hour")} ${part("timeZoneName")}`,
      daily: `${year}-${month}-${day}`,
      weekly: mondayOf(Number(year), Number(month), Number(day)),
      monthly: `${year}-${month}`,
      yearly: year,
    };
  };
}

function mondayOf(year: number, month: number, day: number): string {
  const date = new Date(Date.UTC(year, month - 1, day));
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}
