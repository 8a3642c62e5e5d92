import { expect, test } from "vitest";
import type { PolicyDto } from "@/lib/policies/schema";
import { createInputOf, emptyValues, simulateInputOf, updateInputOf, valuesOf } from "./policy-values.ts";

const policy: PolicyDto = {
  id: "1",
  name: "nightly",
  covers: ["shop"],
  databases: ["shop"],
  patterns: ["web-*"],
  destinations: ["local"],
  schedule: { kind: "weekly", days: [1, 4], at: "03:30" },
  zone: "Europe/Berlin",
  blackouts: [{ days: [1], from: "08:00", to: "18:00" }],
  jitterSeconds: 600,
  missed: "skip",
  retention: { last: 0, hourly: 0, daily: 7, weekly: 4, monthly: 0, yearly: 0, proven: 2 },
  verification: { kind: "nth", n: 3 },
  pausedAt: null,
  pausedBy: null,
  archivedAt: null,
  nextRuns: [],
  lastRun: null,
  version: 4,
  createdAt: "2027-01-01T00:00:00.000Z",
  updatedAt: "2027-01-01T00:00:00.000Z",
};

test("a policy that is edited and saved unchanged stays as it is", () => {
  const { name, databases, patterns, destinations, schedule, zone } = policy;
  const { jitterSeconds, missed, retention, verification, version } = policy;
  expect(updateInputOf(valuesOf(policy), version)).toEqual({
    ...{ name, databases, patterns, destinations, schedule, zone },
    ...{ jitterSeconds, missed, retention, verification, version },
  });
});

test("every kind of schedule comes through the form", () => {
  const kinds: PolicyDto["schedule"][] = [
    { kind: "minutes", every: 10 },
    { kind: "hours", every: 12 },
    { kind: "daily", at: "23:59" },
    { kind: "monthly", day: "last", at: "00:00" },
    { kind: "monthly", day: 28, at: "00:00" },
    { kind: "cron", expression: "0 4 * * 1" },
  ];
  for (const schedule of kinds) {
    expect(createInputOf(valuesOf({ ...policy, schedule })).schedule).toEqual(schedule);
  }
});

test("the preview knows the blackouts of the policy that is edited", () => {
  expect(simulateInputOf(valuesOf(policy), policy)).toMatchObject({
    policy: "1",
    blackouts: policy.blackouts,
    retention: { daily: 7, proven: 2 },
  });
  expect(simulateInputOf(emptyValues("UTC", []), null)).not.toHaveProperty("policy");
});
