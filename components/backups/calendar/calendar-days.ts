/** Pure rules of the calendar. A day is written YYYY-MM-DD and counted in the viewer's time zone. */
import type { BackupDay } from "@/lib/backups/schema";

/** `mixed`: a proven backup and a failed run. `none`: neither a backup nor a failed run. */
export type DayState = "proven" | "mixed" | "unproven" | "failed" | "none";

export interface CalendarDay extends BackupDay {
  state: DayState;
}
/** Monday to Sunday; null for days that are still to come or before the database was known. */
export interface CalendarWeek {
  monday: string;
  days: (CalendarDay | null)[];
}

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** A failed run beside a proven backup is told; beside an unproven one it is what matters. */
export function dayState({ proven, unproven, failed }: Omit<BackupDay, "day">): DayState {
  if (proven > 0) return failed > 0 ? "mixed" : "proven";
  if (failed > 0) return "failed";
  return unproven > 0 ? "unproven" : "none";
}

/** The day of a moment (milliseconds since 1970) in a zone. */
export function dayOf(at: number, timeZone: string): string {
  // Sweden writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat("sv-SE", { timeZone }).format(at);
}

/** `day` moved by whole days. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

/** How many days `day` lies after `since`. */
export function daysBetween(since: string, day: string): number {
  return Math.round((Date.parse(day) - Date.parse(since)) / DAY_MS);
}

function mondayOf(day: string): string {
  return addDays(day, -((new Date(day).getUTCDay() + 6) % 7));
}

/** Weeks from the one of `since` to the one of `today`: at least `least`, of which the newest `most` are kept. */
export function calendarWeeks(options: {
  days: BackupDay[];
  since: string;
  today: string;
  least: number;
  most: number;
}): CalendarWeek[] {
  const { days, since, today, least, most } = options;
  const known = new Map(days.map((day) => [day.day, day]));
  const last = mondayOf(today);
  const wanted = daysBetween(mondayOf(since), last) / 7 + 1;
  const count = Math.max(1, Math.min(most, Math.max(least, wanted)));
  return Array.from({ length: count }, (_, index) => {
    const monday = addDays(last, (index - count + 1) * 7);
    return { monday, days: Array.from({ length: 7 }, (_day, offset) => dayAt(addDays(monday, offset))) };
  });

  function dayAt(day: string): CalendarDay | null {
    if (day > today || day < since) return null;
    const counts = known.get(day) ?? { day, proven: 0, unproven: 0, failed: 0 };
    return { ...counts, state: dayState(counts) };
  }
}

/** First and last moment of a day in the browser's own zone, for filters of the API; null when it is no day. */
export function rangeOfDay(day: string | undefined): { from: string; to: string } | null {
  if (!day || !DAY.test(day) || Number.isNaN(Date.parse(day))) return null;
  const from = new Date(`${day}T00:00:00`);
  const next = new Date(`${addDays(day, 1)}T00:00:00`);
  return { from: from.toISOString(), to: new Date(next.getTime() - 1).toISOString() };
}
