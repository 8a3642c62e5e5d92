import type { Schedule } from "./schema.ts";

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
