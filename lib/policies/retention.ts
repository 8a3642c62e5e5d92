import type { Retention } from "./schema.ts";

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

/** A policy that covers the database. */
export interface Rules {
  id: string;
  retention: Retention;
  zone: string;
  paused: boolean;
}

/** A backup and the policy that made it, if one did. */
export interface Owned extends Candidate {
  policyId: string | null;
}

/**
 * What goes and what stays of one database's backups, given all the policies that cover it. A policy decides about
 * its own backups, and nothing of a paused one goes. A backup of none of them goes when all that run agree.
 */
export function planDatabase(policies: readonly Rules[], backups: readonly Owned[]): RetentionPlan {
  const ids = new Set(policies.map(({ id }) => id));
  const isOrphan = ({ policyId }: Owned) => policyId === null || !ids.has(policyId);
  const reasons = new Map<string, string[]>(backups.map(({ id }) => [id, []]));
  const note = (id: string, more: readonly string[]) => reasons.get(id)?.push(...more);
  for (const policy of policies) {
    const own = backups.filter((one) => one.policyId === policy.id);
    if (policy.paused) {
      for (const { id } of own) note(id, ["paused"]);
      continue;
    }
    const { keep } = planRetention([...own, ...backups.filter(isOrphan)], policy.retention, policy.zone);
    for (const one of keep) note(one.id, one.reasons);
  }
  if (policies.every(({ paused }) => paused)) {
    for (const { id } of backups.filter(isOrphan)) note(id, ["no rule deletes"]);
  }
  const newestFirst = backups.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const whyOf = (id: string) => [...new Set(reasons.get(id))];
  return {
    keep: newestFirst.map(({ id }) => ({ id, reasons: whyOf(id) })).filter((one) => one.reasons.length > 0),
    remove: newestFirst
      .filter(({ id }) => whyOf(id).length === 0)
      .map(({ id }) => id)
      .reverse(),
  };
}

/** Names of the periods that a moment lies in, in that time zone. */
export function calendar(zone: string): (at: Date) => Record<Period, string> {
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
