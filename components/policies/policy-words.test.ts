import { expect, test } from "vitest";
import { retentionWords, scheduleWords, verificationWords } from "./policy-words.ts";

test("schedules in words", () => {
  expect(scheduleWords({ kind: "minutes", every: 15 })).toBe("every 15 min");
  expect(scheduleWords({ kind: "hours", every: 1 })).toBe("every hour");
  expect(scheduleWords({ kind: "daily", at: "02:15" })).toBe("daily at 02:15");
  expect(scheduleWords({ kind: "weekly", days: [1, 7], at: "02:15" })).toBe("Mon, Sun at 02:15");
  expect(scheduleWords({ kind: "monthly", day: "last", at: "02:15" })).toBe("on a month's last day at 02:15");
  expect(scheduleWords({ kind: "cron", expression: "15 2 * * *" })).toBe("15 2 * * *");
});

test("what stays, and what is proven, in words", () => {
  const none = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0, proven: 3 };
  expect(retentionWords(none)).toBe("everything");
  expect(retentionWords({ ...none, last: 3, daily: 7 })).toBe("the newest 3, 7 daily");
  expect(verificationWords({ kind: "nth", n: 5 })).toBe("one in 5");
});
