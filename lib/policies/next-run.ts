import { createHash } from "node:crypto";
import { Cron } from "croner";
import { HoldfastError, messageOf } from "../errors.ts";
import { cronOf } from "./schedule.ts";
import type { Blackout, Schedule } from "./schema.ts";

/** When a policy's runs are due. */
export interface Timing {
  schedule: Schedule;
  /** IANA time zone. */
  zone: string;
  blackouts: readonly Blackout[];
}

const FIVE_FIELDS = /^\S+(\s+\S+){4}$/;
/** Windows that end in the next one's beginning: more than a week of them leaves no time. */
const MOST_STEPS = 100;

/**
 * The next `count` due times after `from`, ascending. A local time that the clock skips (summer time begins) is due
 * at the first moment after the gap; one that it shows twice is due once, at the first. Every-so-often schedules run
 * through both hours. A time inside a blackout window is due at the window's end; several there become one. Throws
 * `invalid` for an expression that is none, or that is never due.
 */
export function nextRuns(timing: Timing, from: Date, count: number): Date[] {
  const cron = parse(timing);
  const runs: Date[] = [];
  let at: Date | null = from;
  // What was held back by a window that `from` lies in is still to come.
  const held = heldBack(cron, timing, from);
  if (held && held > from) runs.push(held);
  while (runs.length < count) {
    at = cron.nextRun(at);
    if (!at) break;
    const due = afterBlackouts(timing, at);
    const last = runs.at(-1);
    if (due > from && (!last || due > last)) runs.push(due);
  }
  return runs.slice(0, count);
}

/** Due times after `after` up to and including `until`, ascending, the newest `limit` of them. */
export function runsBetween(timing: Timing, after: Date, until: Date, limit = 1000): Date[] {
  const cron = parse(timing);
  const runs: Date[] = [];
  // Whole seconds are compared, and the search is for what lies before.
  let at: Date | null = new Date(until.getTime() + 1000);
  while (runs.length < limit) {
    at = cron.previousRuns(1, at)[0] ?? null;
    // A window can hold a run back for a day.
    if (!at || at.getTime() < after.getTime() - 8 * 86_400_000) break;
    const due = afterBlackouts(timing, at);
    if (due > until) continue;
    if (due <= after) {
      if (timing.blackouts.length === 0) break;
      continue;
    }
    const newest = runs.at(-1);
    if (!newest || due < newest) runs.push(due);
  }
  return runs.reverse();
}

/** Milliseconds from 0 to `maxMs` by which one database's run is moved; the same for the same run everywhere. */
export function jitterMs(seed: string, maxMs: number): number {
  if (maxMs <= 0) return 0;
  const hash = createHash("sha256").update(seed).digest();
  return Math.floor((hash.readUInt32BE(0) / 0x1_0000_0000) * maxMs);
}

function parse({ schedule, zone }: Timing): Cron {
  const expression = cronOf(schedule);
  try {
    if (!FIVE_FIELDS.test(expression)) {
      throw new Error("it needs five fields: minute, hour, day of month, month, day of week");
    }
    const cron = new Cron(expression, { timezone: zone, paused: true });
    if (!cron.nextRun()) throw new Error("it is never due");
    return cron;
  } catch (cause) {
    throw new HoldfastError(
      "invalid",
      `"${expression}" is not a schedule: ${messageOf(cause).replace(/^Cron\w+: /, "")}.`,
      { fields: { schedule: "Five fields, for example 15 2 * * * for 02:15 every day." }, cause },
    );
  }
}

function heldBack(cron: Cron, timing: Timing, from: Date): Date | null {
  if (timing.blackouts.length === 0) return null;
  const end = afterBlackouts(timing, from);
  if (end <= from) return null;
  // Was anything due since this window began?
  for (const at of cron.previousRuns(1, new Date(from.getTime() + 1))) {
    if (afterBlackouts(timing, at).getTime() === end.getTime()) return end;
  }
  return null;
}

/** `at` itself, or the end of the blackout windows that it lies in. */
export function afterBlackouts({ blackouts, zone }: Pick<Timing, "blackouts" | "zone">, at: Date): Date {
  let moved = at;
  for (let step = 0; step < MOST_STEPS; step++) {
    const end = blackouts.map((window) => endOf(window, zone, moved)).find((found) => found !== null);
    if (!end) return moved;
    moved = end;
  }
  throw new HoldfastError("invalid", "The blackout windows leave no time for a run.", {
    fields: { blackouts: "Together they cover the whole week." },
  });
}

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** The end of the window that `at` lies in, or null. */
function endOf(window: Blackout, zone: string, at: Date): Date | null {
  const local = localTime(zone, at);
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  const now = local.minutes;
  const yesterday = local.weekday === 1 ? 7 : local.weekday - 1;
  const overnight = to < from;
  const inside = overnight
    ? (window.days.includes(local.weekday) && now >= from) || (window.days.includes(yesterday) && now < to)
    : window.days.includes(local.weekday) && now >= from && now < to;
  if (!inside) return null;
  // The clock may be set in between: ask it for the next time that shows the end.
  const hour = Math.floor(to / 60);
  return new Cron(`${to % 60} ${hour} * * *`, { timezone: zone, paused: true }).nextRun(at);
}

function minutesOf(time: string): number {
  const [hour = "0", minute = "0"] = time.split(":");
  return Number(hour) * 60 + Number(minute);
}

/** Made once per zone: making one takes longer than a thousand uses. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  clocks.set(zone, made);
  return made;
}

function localTime(zone: string, at: Date): { weekday: number; minutes: number } {
  const parts = clockOf(zone).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return {
    weekday: WEEKDAYS.indexOf(part("weekday")) + 1,
    minutes: Number(part("hour")) * 60 + Number(part("minute")),
  };
}
