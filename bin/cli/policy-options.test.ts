import { expect, test } from "vitest";
import { scheduleOf, verificationOf } from "./policy-options.ts";

test("exactly one option says when", () => {
  expect(scheduleOf({ cron: "15 2 * * *" })).toEqual({ kind: "cron", expression: "15 2 * * *" });
  expect(scheduleOf({ every: "15m" })).toEqual({ kind: "minutes", every: 15 });
  expect(scheduleOf({ every: "6h" })).toEqual({ kind: "hours", every: 6 });
  expect(scheduleOf({ daily: "02:15" })).toEqual({ kind: "daily", at: "02:15" });
  expect(scheduleOf({ weekly: "mon, SUN@02:15" })).toEqual({ kind: "weekly", days: [1, 7], at: "02:15" });
  expect(scheduleOf({ monthly: "last@00:30" })).toEqual({ kind: "monthly", day: "last", at: "00:30" });
  expect(scheduleOf({ monthly: "15@00:30" })).toEqual({ kind: "monthly", day: 15, at: "00:30" });
  for (const wrong of [{}, { daily: "02:15", cron: "* * * * *" }, { every: "soon" }, { weekly: "moon@1" }]) {
    expect(() => scheduleOf(wrong)).toThrow(expect.objectContaining({ exitCode: 2 }));
  }
});

test("how often backups are proven", () => {
  expect(verificationOf("each")).toEqual({ kind: "each" });
  expect(verificationOf("weekly")).toEqual({ kind: "weekly" });
  expect(verificationOf("5")).toEqual({ kind: "nth", n: 5 });
  expect(() => verificationOf("never")).toThrow(expect.objectContaining({ exitCode: 2 }));
});
