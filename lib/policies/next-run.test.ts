import { describe, expect, it } from "vitest";
import { jitterMs, nextRuns, runsBetween, type Timing } from "./next-run.ts";
import type { Schedule } from "./schema.ts";

const BERLIN = "Europe/Berlin";
const timing = (schedule: Schedule, more: Partial<Timing> = {}): Timing => ({
  schedule,
  zone: BERLIN,
  blackouts: [],
  ...more,
});
const texts = (runs: Date[]) => runs.map((run) => run.toISOString().slice(0, 16));
const next = (of: Timing, from: string, count: number) => texts(nextRuns(of, new Date(from), count));

describe("nextRuns", () => {
  const nightly = timing({ kind: "daily", at: "02:30" });

  it("is due right after the gap when the clock skips the time", () => {
    expect(next(nightly, "2027-03-26T12:00Z", 3)).toEqual([
      "2027-03-27T01:30",
      "2027-03-28T01:00",
      "2027-03-29T00:30",
    ]);
  });

  it("is due once when the clock shows the time twice", () => {
    expect(next(nightly, "2026-10-24T12:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
    // Between the first and the second 02:30 of that night.
    expect(next(nightly, "2026-10-25T00:45Z", 1)).toEqual(["2026-10-26T01:30"]);
  });

  it("runs through both hours where it runs every so often", () => {
    const halfHourly = timing({ kind: "minutes", every: 30 });
    expect(next(halfHourly, "2026-10-24T23:45Z", 6)).toEqual([
      "2026-10-25T00:00",
      "2026-10-25T00:30",
      "2026-10-25T01:00",
      "2026-10-25T01:30",
      "2026-10-25T02:00",
      "2026-10-25T02:30",
    ]);
    const hourly = timing({ kind: "hours", every: 1 });
    expect(next(hourly, "2027-03-27T23:30Z", 3)).toEqual([
      "2027-03-28T00:00",
      "2027-03-28T01:00",
      "2027-03-28T02:00",
    ]);
  });

  it("knows each kind of schedule", () => {
    const from = "2027-01-30T12:00Z";
    const utc = (schedule: Schedule) => next(timing(schedule, { zone: "UTC" }), from, 2);
    expect(utc({ kind: "hours", every: 6 })).toEqual(["2027-01-30T18:00", "2027-01-31T00:00"]);
    expect(utc({ kind: "weekly", days: [1, 7], at: "04:05" })).toEqual([
      "2027-01-31T04:05",
      "2027-02-01T04:05",
    ]);
    expect(utc({ kind: "monthly", day: 15, at: "00:00" })).toEqual(["2027-02-15T00:00", "2027-03-15T00:00"]);
    expect(utc({ kind: "monthly", day: "last", at: "23:59" })).toEqual([
      "2027-01-31T23:59",
      "2027-02-28T23:59",
    ]);
    expect(utc({ kind: "cron", expression: "15 2 * * 1-5" })).toEqual([
      "2027-02-01T02:15",
      "2027-02-02T02:15",
    ]);
  });

  it("is far from whole hours in zones that are", () => {
    expect(
      next(timing({ kind: "daily", at: "02:30" }, { zone: "Asia/Kathmandu" }), "2027-01-01T00:00Z", 1),
    ).toEqual(["2027-01-01T20:45"]);
  });

  it.each([
    ["61 * * * *", /61/],
    ["* * * * * *", /five fields/],
    ["0 0 30 2 *", /never due/],
    ["rubbish", /five fields/],
  ])("refuses %s", (expression, why) => {
    expect(() => nextRuns(timing({ kind: "cron", expression }), new Date(), 1)).toThrow(why);
  });
});

describe("blackout windows", () => {
  const every = [1, 2, 3, 4, 5, 6, 7];
  const hourly: Schedule = { kind: "hours", every: 1 };

  it("hold runs back to their end, where several become one", () => {
    const quiet = timing(hourly, { zone: "UTC", blackouts: [{ days: every, from: "08:30", to: "11:30" }] });
    expect(next(quiet, "2027-01-01T07:30Z", 4)).toEqual([
      "2027-01-01T08:00",
      "2027-01-01T11:30",
      "2027-01-01T12:00",
      "2027-01-01T13:00",
    ]);
    // Inside the window, with a run held back already, and before any was.
    expect(next(quiet, "2027-01-01T09:10Z", 2)).toEqual(["2027-01-01T11:30", "2027-01-01T12:00"]);
    expect(next(quiet, "2027-01-01T08:45Z", 1)).toEqual(["2027-01-01T11:30"]);
  });

  it("go past midnight, and belong to the day on which they begin", () => {
    // Friday night; 2027-01-01 is a Friday.
    const weekend = timing(hourly, { zone: "UTC", blackouts: [{ days: [5], from: "22:00", to: "02:30" }] });
    expect(next(weekend, "2027-01-01T20:30Z", 3)).toEqual([
      "2027-01-01T21:00",
      "2027-01-02T02:30",
      "2027-01-02T03:00",
    ]);
    expect(next(weekend, "2027-01-02T20:30Z", 2)).toEqual(["2027-01-02T21:00", "2027-01-02T22:00"]);
  });

  it("that touch each other hold back together", () => {
    const both = timing(hourly, {
      zone: "UTC",
      blackouts: [
        { days: every, from: "08:00", to: "10:00" },
        { days: every, from: "10:00", to: "12:15" },
      ],
    });
    expect(next(both, "2027-01-01T07:30Z", 2)).toEqual(["2027-01-01T12:15", "2027-01-01T13:00"]);
  });

  it("that cover the whole time leave no run", () => {
    const never = timing(hourly, {
      zone: "UTC",
      blackouts: [
        { days: every, from: "00:00", to: "12:00" },
        { days: every, from: "12:00", to: "00:00" },
      ],
    });
    expect(() => nextRuns(never, new Date("2027-01-01T07:30Z"), 1)).toThrow(/blackout/);
  });
});

describe("runsBetween", () => {
  const between = (of: Timing, after: string, until: string, limit?: number) =>
    texts(runsBetween(of, new Date(after), new Date(until), limit));

  it("excludes its beginning and includes its end", () => {
    const hourly = timing({ kind: "hours", every: 1 }, { zone: "UTC" });
    expect(between(hourly, "2027-01-01T01:00Z", "2027-01-01T03:00Z")).toEqual([
      "2027-01-01T02:00",
      "2027-01-01T03:00",
    ]);
    expect(between(hourly, "2027-01-01T01:00Z", "2027-01-01T01:59:59.999Z")).toEqual([]);
  });

  it("gives what nextRuns promised, across both changes of the clock and windows", () => {
    const blackouts = [
      { days: [6, 7], from: "01:30", to: "04:00" },
      { days: [3], from: "22:00", to: "06:00" },
    ];
    const schedules: Schedule[] = [
      { kind: "minutes", every: 20 },
      { kind: "hours", every: 2 },
      { kind: "daily", at: "02:30" },
    ];
    for (const schedule of schedules) {
      for (const [after, until] of [
        ["2026-10-20T00:00Z", "2026-10-30T12:34Z"],
        ["2027-03-24T00:00Z", "2027-04-02T12:34Z"],
      ] as const) {
        const of = timing(schedule, { blackouts });
        const promised = nextRuns(of, new Date(after), 1000).filter((run) => run <= new Date(until));
        expect(between(of, after, until)).toEqual(texts(promised));
        expect(promised.length).toBeGreaterThan(5);
      }
    }
  });

  it("keeps the newest where there are too many", () => {
    const often = timing({ kind: "minutes", every: 5 }, { zone: "UTC" });
    expect(between(often, "2020-01-01T00:00Z", "2027-01-01T00:00Z", 2)).toEqual([
      "2026-12-31T23:55",
      "2027-01-01T00:00",
    ]);
  });
});

describe("jitterMs", () => {
  it("is the same for the same run and spreads over the whole range", () => {
    const moves = Array.from({ length: 500 }, (_, index) => jitterMs(`policy ${index}`, 600_000));
    expect(jitterMs("policy 1", 600_000)).toBe(moves[1]);
    expect(Math.min(...moves)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...moves)).toBeLessThan(600_000);
    expect(moves.filter((move) => move > 300_000).length).toBeGreaterThan(150);
    expect(jitterMs("policy 1", 0)).toBe(0);
  });
});
