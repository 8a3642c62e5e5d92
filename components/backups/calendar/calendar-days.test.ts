import { expect, test } from "vitest";
import { calendarWeeks, dayOf, dayState, rangeOfDay } from "./calendar-days.ts";

const counts = (proven: number, unproven: number, failed: number) => ({ proven, unproven, failed });

test("a day is good only with a proven backup, and says when a run failed beside it", () => {
  expect(dayState(counts(2, 1, 0))).toBe("proven");
  expect(dayState(counts(1, 0, 1))).toBe("mixed");
  expect(dayState(counts(0, 3, 0))).toBe("unproven");
  expect(dayState(counts(0, 3, 1))).toBe("failed");
  expect(dayState(counts(0, 0, 0))).toBe("none");
});

test("the same moment is another day elsewhere", () => {
  const at = Date.parse("2026-11-12T23:30:00Z");
  expect(dayOf(at, "UTC")).toBe("2026-11-12");
  expect(dayOf(at, "Europe/Berlin")).toBe("2026-11-13");
  expect(dayOf(at, "America/New_York")).toBe("2026-11-12");
});

test("weeks run from Monday to Sunday, without days to come or before the first", () => {
  const weeks = calendarWeeks({
    days: [{ day: "2026-11-12", ...counts(1, 0, 0) }],
    since: "2026-11-11",
    today: "2026-11-17",
    least: 1,
    most: 53,
  });
  expect(weeks.map((week) => week.monday)).toEqual(["2026-11-09", "2026-11-16"]);
  expect(weeks.map((week) => week.days.map((day) => day?.state ?? null))).toEqual([
    [null, null, "none", "proven", "none", "none", "none"],
    ["none", "none", null, null, null, null, null],
  ]);
});

test("a change of the clocks neither repeats nor drops a day", () => {
  const weeks = calendarWeeks({ days: [], since: "2026-03-01", today: "2026-11-30", least: 13, most: 53 });
  const days = weeks.flatMap((week) => week.days).flatMap((day) => day?.day ?? []);
  expect(new Set(days).size).toBe(days.length);
  expect(days.length).toBe(275);
});

test("a young database gets the least, an old one the most", () => {
  const young = { days: [], since: "2026-11-16", today: "2026-11-17", least: 13, most: 26 };
  expect(calendarWeeks(young)).toHaveLength(13);
  expect(calendarWeeks({ ...young, since: "2020-01-01" })).toHaveLength(26);
  // A narrow screen counts for more than the least.
  expect(calendarWeeks({ ...young, most: 10 })).toHaveLength(10);
});

test("a day's range is whole and only for days", () => {
  const range = rangeOfDay("2026-11-12");
  expect(range && Date.parse(range.to) - Date.parse(range.from)).toBe(86_400_000 - 1);
  expect(range && new Date(range.from).getHours()).toBe(0);
  for (const wrong of [undefined, "", "yesterday", "2026-13-40", "2026-11-12T10:00:00Z"]) {
    expect(rangeOfDay(wrong)).toBeNull();
  }
});
