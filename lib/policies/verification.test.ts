import { expect, test } from "vitest";
import { covers } from "./coverage.ts";
import { shouldVerify } from "./verification.ts";

const now = new Date("2027-01-04T00:30:00Z");
const last = (at: string | null, since = 0) => ({ lastAt: at === null ? null : new Date(at), since });

test("the first backup is proven, whatever the cadence", () => {
  for (const cadence of [{ kind: "weekly" }, { kind: "nth", n: 9 }] as const) {
    expect(shouldVerify(cadence, last(null), now, "UTC")).toBe(true);
  }
});

test("each, and each nth", () => {
  expect(shouldVerify({ kind: "each" }, last("2027-01-04T00:29:00Z"), now, "UTC")).toBe(true);
  const third = { kind: "nth", n: 3 } as const;
  expect(
    [0, 1, 2, 3].map((since) => shouldVerify(third, last("2027-01-01T00:00:00Z", since), now, "UTC")),
  ).toEqual([false, false, true, true]);
});

test("days and weeks are those of the policy's zone", () => {
  const sunday = last("2027-01-03T23:30:00Z");
  expect(shouldVerify({ kind: "daily" }, sunday, now, "UTC")).toBe(true);
  expect(shouldVerify({ kind: "daily" }, sunday, now, "Europe/Berlin")).toBe(false);
  expect(shouldVerify({ kind: "weekly" }, sunday, now, "UTC")).toBe(true);
  expect(shouldVerify({ kind: "weekly" }, sunday, now, "America/New_York")).toBe(false);
});

test("a policy covers what was chosen, and what its patterns find", () => {
  const database = (name: string) => ({ id: name, name });
  expect(covers({ databaseIds: ["kiosk"], patterns: [] }, database("kiosk"))).toBe(true);
  const shops = { databaseIds: [], patterns: ["shop-*", "web?"] };
  expect(["shop-production", "shop-", "web1"].map((name) => covers(shops, database(name)))).toEqual([
    true,
    true,
    true,
  ]);
  const long = { databaseIds: [], patterns: ["*a".repeat(30)] };
  expect(covers(long, database("a".repeat(30)))).toBe(true);
  expect(covers(long, database(`${"a".repeat(29)}-`.repeat(2)))).toBe(false);
  expect(covers({ databaseIds: [], patterns: ["*-prod*-?"] }, database("x-prod-y-prod1-2"))).toBe(true);
  expect(["shop", "my-shop-1", "web", "web12"].some((name) => covers(shops, database(name)))).toBe(false);
});
