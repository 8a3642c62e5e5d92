import { z } from "zod";

/** "02:15", 24 hours. */
export const timeOfDaySchema = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "A time of day looks like 02:15.");

/** 1 is Monday, 7 is Sunday (ISO 8601). */
const weekdaysSchema = z
  .array(z.number().int().min(1).max(7))
  .min(1, "Choose at least one day.")
  .transform((days) => [...new Set(days)].sort((a, b) => a - b));

/** Minutes and hours that divide an hour and a day: the runs are at the same times on every day. */
export const INTERVAL_MINUTES = [5, 10, 15, 20, 30] as const;
export const INTERVAL_HOURS = [1, 2, 3, 4, 6, 8, 12] as const;
/** Later days are not in every month; the last one has a name of its own. */
const LAST_COMMON_DAY = 28;

export const scheduleSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("minutes"), every: z.literal([...INTERVAL_MINUTES]) }),
  z.object({ kind: z.literal("hours"), every: z.literal([...INTERVAL_HOURS]) }),
  z.object({ kind: z.literal("daily"), at: timeOfDaySchema }),
  z.object({ kind: z.literal("weekly"), days: weekdaysSchema, at: timeOfDaySchema }),
  z.object({
    kind: z.literal("monthly"),
    day: z.union([z.number().int().min(1).max(LAST_COMMON_DAY), z.literal("last")]),
    at: timeOfDaySchema,
  }),
  z.object({ kind: z.literal("cron"), expression: z.string().trim().min(1).max(200) }),
]);
export type Schedule = z.infer<typeof scheduleSchema>;

/** A time of the week in which no run starts, in the policy's zone. Past midnight when `to` is not after `from`. */
export const blackoutSchema = z
  .object({ days: weekdaysSchema, from: timeOfDaySchema, to: timeOfDaySchema })
  .refine(({ from, to }) => from !== to, { path: ["to"], message: "It ends when it begins." });
export type Blackout = z.infer<typeof blackoutSchema>;

/** An IANA time zone that this runtime knows: "Europe/Berlin". */
export const zoneSchema = z
  .string()
  .refine(isZone, "This is not a time zone. Zones look like Europe/Berlin or UTC.");

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    // "+02:00" is understood, too, but knows no summer time.
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

/** The schedule as a cron expression of five fields: minute, hour, day of month, month, day of week (0 is Sunday). */
export function cronOf(schedule: Schedule): string {
  switch (schedule.kind) {
    case "minutes":
      return `*/${schedule.every} * * * *`;
    case "hours":
      return `0 */${schedule.every} * * *`;
    case "daily":
      return `${minuteAndHour(schedule.at)} * * *`;
    case "weekly":
      return `${minuteAndHour(schedule.at)} * * ${schedule.days.map((day) => day % 7).join(",")}`;
    case "monthly":
      return `${minuteAndHour(schedule.at)} ${schedule.day === "last" ? "L" : schedule.day} * *`;
    case "cron":
      return schedule.expression;
  }
}

function minuteAndHour(at: string): string {
  const [hour = "0", minute = "0"] = at.split(":");
  return `${Number(minute)} ${Number(hour)}`;
}
