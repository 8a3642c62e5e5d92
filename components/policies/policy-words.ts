/** Policies in words. */
import type { StateWord } from "@/components/ui/state-words";
import type { PolicyDto } from "@/lib/policies/schema";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** When it is due: "daily at 02:15", "Mon, Thu at 02:15", "every 15 min". */
export function scheduleWords(schedule: PolicyDto["schedule"]): string {
  switch (schedule.kind) {
    case "minutes":
      return `every ${schedule.every} min`;
    case "hours":
      return schedule.every === 1 ? "every hour" : `every ${schedule.every} h`;
    case "daily":
      return `daily at ${schedule.at}`;
    case "weekly":
      return `${schedule.days.map((day) => DAYS[day - 1]).join(", ")} at ${schedule.at}`;
    case "monthly":
      return schedule.day === "last"
        ? `on a month's last day at ${schedule.at}`
        : `on day ${schedule.day} of a month at ${schedule.at}`;
    case "cron":
      return schedule.expression;
  }
}

const KEPT = ["hourly", "daily", "weekly", "monthly", "yearly"] as const;

/** What stays: "the newest 3, 7 daily, 4 weekly". */
export function retentionWords(retention: PolicyDto["retention"]): string {
  const rules = KEPT.filter((rule) => retention[rule] > 0).map((rule) => `${retention[rule]} ${rule}`);
  const last = retention.last > 0 ? [`the newest ${retention.last}`] : [];
  const all = [...last, ...rules];
  return all.length === 0 ? "everything" : all.join(", ");
}

export function verificationWords(verification: PolicyDto["verification"]): string {
  if (verification.kind === "each") return "every backup";
  if (verification.kind === "nth") return `one in ${verification.n}`;
  return verification.kind === "daily" ? "the first of each day" : "the first of each week";
}

const RUN: Record<string, StateWord> = {
  due: { tone: "unknown", word: "due" },
  running: { tone: "running", word: "running" },
  succeeded: { tone: "ok", word: "succeeded" },
  failed: { tone: "problem", word: "failed" },
  missed: { tone: "warning", word: "missed" },
  skipped: { tone: "unknown", word: "skipped" },
};

export const runWord = (state: string): StateWord => RUN[state] ?? { tone: "unknown", word: state };

const TRIGGERS: Record<string, string> = {
  schedule: "its schedule",
  catch_up: "its schedule, made up for",
};

export const triggerWords = (run: { trigger: string; actor: string }): string =>
  TRIGGERS[run.trigger] ?? run.actor;
