import type { Retention } from "./schema.ts";

/** A finished backup that holds its objects: complete or partial. Failed runs are not asked about. */
export interface Candidate {
  id: string;
  createdAt: Date;
  proven: boolean;
  pinned: boolean;
  /** It can be counted on: a copy is stored, and no proof has failed. Only such a one takes another's place. */
  sound: boolean;
}

export interface RetentionPlan {
  /** Newest first, each with all the reasons why it stays. */
  keep: { id: string; reasons: string[] }[];
  /** Oldest first. */
  remove: string[];
}

const RULES = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;
type Period = (typeof RULES)[number];

/**
 * Applies the rules to one database's backups. Periods are those of the calendar in `zone`; weeks begin on Monday.
 * What is dated after `now`, by a clock that was ahead, stays and takes no place.
 */
export function planRetention(
  backups: readonly Candidate[],
  rules: Retention,
  zone: string,
  now: Date,
): RetentionPlan {
  const all = backups.toSorted(
    (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1),
  );
  const newestFirst = all.filter(({ createdAt }) => createdAt <= now);
  const sound = newestFirst.filter((one) => one.sound);
  const reasons = new Map<string, string[]>(all.map(({ id }) => [id, []]));
  const keep = (id: string, reason: string) => {
    const found = reasons.get(id);
    if (found && !found.includes(reason)) found.push(reason);
  };

  const idle = rules.last === 0 && RULES.every((rule) => rules[rule] === 0);
  if (idle) for (const { id } of newestFirst) keep(id, "no rule deletes");
  const periodOf = calendar(zone);
  // Among all, and among the sound ones alone: one that can't be counted on is kept beside those that can.
  for (const some of [newestFirst, sound]) {
    for (const { id } of some.slice(0, rules.last)) keep(id, "last");
    for (const rule of RULES) {
      const seen = new Set<string>();
      for (const { id, createdAt } of some) {
        if (seen.size >= rules[rule]) break;
        const period = periodOf(createdAt)[rule];
        if (seen.has(period)) continue;
        seen.add(period);
        keep(id, rule);
      }
    }
    for (const { id } of some.filter(({ proven }) => proven).slice(0, rules.proven)) keep(id, "proven");
    const newest = some[0];
    if (newest) keep(newest.id, "newest");
  }
  for (const { id, pinned, createdAt } of all) {
    if (pinned) keep(id, "pinned");
    if (createdAt > now) keep(id, "dated in the future");
  }

  const stays = all.map(({ id }) => ({ id, reasons: reasons.get(id) ?? [] }));
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
 * its own backups, and nothing of a paused one goes, nor of one that is archived or does not cover the database any
 * more. A backup that no policy made goes when all that run agree. Of the proven ones of all of them together the
 * newest stay, as many as the most careful policy asks for.
 */
export function planDatabase(
  policies: readonly Rules[],
  backups: readonly Owned[],
  now: Date,
): RetentionPlan {
  const ids = new Set(policies.map(({ id }) => id));
  const isOrphan = ({ policyId }: Owned) => policyId === null;
  const reasons = new Map<string, string[]>(backups.map(({ id }) => [id, []]));
  const note = (id: string, more: readonly string[]) => reasons.get(id)?.push(...more);
  for (const policy of policies) {
    const own = backups.filter((one) => one.policyId === policy.id);
    if (policy.paused) {
      for (const { id } of own) note(id, ["paused"]);
      continue;
    }
    const { keep } = planRetention([...own, ...backups.filter(isOrphan)], policy.retention, policy.zone, now);
    for (const one of keep) note(one.id, one.reasons);
  }
  if (policies.every(({ paused }) => paused)) {
    for (const { id } of backups.filter(isOrphan)) note(id, ["no rule deletes"]);
  }
  for (const { id, policyId } of backups) {
    if (policyId !== null && !ids.has(policyId)) note(id, ["its policy covers it no more"]);
  }
  const newestFirst = backups.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  const floor = Math.max(0, ...policies.map(({ retention }) => retention.proven));
  const proven = newestFirst.filter((one) => one.proven && one.sound && one.createdAt <= now);
  for (const { id } of proven.slice(0, floor)) note(id, ["proven"]);
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
