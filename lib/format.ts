/** Pure formatting of figures for people. A non-breaking space stands between number and unit. */

const NBSP = "\u00a0";
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** 1284331 → "1,284,331". */
export function formatCount(value: number): string {
  return new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 }).format(value);
}

/** Count and noun: plural(1, "database") → "1 database"; plural(3, "copy", "copies") → "3 copies". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)}${NBSP}${count === 1 ? one : many}`;
}

function scaled(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

/** Decimal units: 118_000_000 → "118 MB", 2_140_000_000 → "2.14 GB". */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  // 999.5 would be shown as 1000 of the smaller unit.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${bytes < 0 ? "−" : ""}${scaled(value)}${NBSP}${BYTE_UNITS[unit]}`;
}

/** An amount with its unit, as operations report progress: "1.9 GB", "640,000 rows", "31 tables". */
export function formatAmount(value: number, unit: string): string {
  return unit === "bytes" ? formatBytes(value) : `${formatCount(value)}${NBSP}${unit}`;
}

/** Speed: (118e6, "bytes") → "118 MB/s"; (4200, "rows") → "4,200 rows/s". */
export function formatRate(perSecond: number, unit: string): string {
  return `${formatAmount(perSecond, unit)}/s`;
}

/**
 * Seconds as the two largest units: 0.34 → "0.3 s", 42 → "42 s", 250 → "4 min 10 s", 3900 → "1 h 5 min",
 * 183600 → "2 d 3 h". Below 10 s one decimal is kept; below 50 ms it is milliseconds.
 */
export function formatDuration(seconds: number): string {
  const value = Math.max(0, seconds);
  if (value > 0 && value < 0.05) return `${Math.max(1, Math.round(value * 1000))}${NBSP}ms`;
  if (value < 9.95) return `${value.toFixed(1).replace(/\.0$/, "")}${NBSP}s`;
  const whole = Math.round(value);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor((whole % 86_400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${NBSP}${unit}`)
    .join(" ");
}

const STEPS: [number, string, string][] = [
  [60, "min", "min"],
  [3600, "h", "h"],
  [86_400, "day", "days"],
];

/** How long ago or ahead `at` is: "just now", "3 min ago", "in 22 min", "9 days ago". Both in milliseconds. */
export function formatRelative(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  const distance = Math.abs(seconds);
  if (distance < 45) return seconds >= -5 ? "just now" : "in a moment";
  let text = `1${NBSP}min`;
  for (const [size, one, many] of STEPS) {
    const amount = Math.round(distance / size);
    if (amount >= 1) text = `${formatCount(amount)}${NBSP}${amount === 1 ? one : many}`;
  }
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** A moment in a zone: "12 Nov 2026, 02:15"; with `seconds` "12 Nov 2026, 02:15:09". */
export function formatMoment(at: Date, timeZone: string, seconds = false): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone,
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" as const } : {}),
    hourCycle: "h23",
  }).format(at);
}

/** A calendar day, written YYYY-MM-DD, whatever the zone: "2026-11-12" → "12 Nov 2026". */
export function formatDay(day: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", dateStyle: "medium" }).format(new Date(day));
}

/** Part of a whole in percent, 0 to 100; null while the whole is not known. */
export function percentOf(done: number, total: number | null): number | null {
  if (total === null || total <= 0) return null;
  return Math.min(100, Math.max(0, (done / total) * 100));
}
