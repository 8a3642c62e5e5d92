import { CliError, EXIT } from "./exit.ts";

interface ScheduleOptions {
  cron?: string;
  every?: string;
  daily?: string;
  weekly?: string;
  monthly?: string;
}

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** The schedule of exactly one of the options, as the API takes it; throws exit 2. Times are checked there. */
export function scheduleOf({
  cron,
  every,
  daily,
  weekly,
  monthly,
}: ScheduleOptions): Record<string, unknown> {
  const given = [cron, every, daily, weekly, monthly].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new CliError(
      EXIT.usage,
      "Say when by exactly one of --cron, --every, --daily, --weekly, --monthly.",
      'For example: --daily 02:15, or --cron "15 2 * * *".',
    );
  }
  if (cron !== undefined) return { kind: "cron", expression: cron };
  if (daily !== undefined) return { kind: "daily", at: daily };
  if (every !== undefined) {
    const match = /^(\d{1,2})([mh])$/.exec(every);
    if (!match) throw new CliError(EXIT.usage, `--every ${every} is not a duration.`, "Write 15m or 6h.");
    return { kind: match[2] === "m" ? "minutes" : "hours", every: Number(match[1]) };
  }
  const [when = "", at = ""] = (weekly ?? monthly ?? "").split("@");
  if (monthly !== undefined) return { kind: "monthly", day: when === "last" ? when : Number(when), at };
  const days = when.split(",").map((day) => DAYS.indexOf(day.trim().toLowerCase()) + 1);
  if (days.includes(0)) {
    throw new CliError(EXIT.usage, `--weekly ${weekly} names no days.`, "Write mon,thu@02:15.");
  }
  return { kind: "weekly", days, at };
}

/** "each", "daily", "weekly", or a number: each such backup of a database. */
export function verificationOf(text: string): Record<string, unknown> {
  if (["each", "daily", "weekly"].includes(text)) return { kind: text };
  if (/^\d{1,4}$/.test(text)) return { kind: "nth", n: Number(text) };
  throw new CliError(EXIT.usage, `--verify ${text} is no cadence.`, "Write each, daily, weekly or a number.");
}
