import { describe, expect, it } from "vitest";
import { type Candidate, type Owned, planDatabase, planRetention, type Rules } from "./retention.ts";
import { type Retention, retentionSchema } from "./schema.ts";

const backup = (at: string, more: Partial<Candidate> = {}): Candidate => ({
  id: at,
  createdAt: new Date(at),
  proven: true,
  pinned: false,
  sound: true,
  ...more,
});
/** After all of them. */
const NOW = new Date("2027-02-01T00:00Z");
const rules = (more: Partial<Retention>): Retention => retentionSchema.parse({ proven: 1, ...more });
const kept = (backups: Candidate[], some: Partial<Retention>, zone = "UTC") =>
  planRetention(backups, rules(some), zone, NOW).keep.map(({ id }) => id);
const days = (count: number, more: (index: number) => Partial<Candidate> = () => ({})) =>
  Array.from({ length: count }, (_, index) =>
    backup(new Date(Date.UTC(2027, 0, 31 - index, 2, 15)).toISOString(), more(index)),
  );

describe("planRetention", () => {
  it("deletes nothing without a rule", () => {
    const plan = planRetention(days(40), rules({}), "UTC", NOW);
    expect(plan.remove).toEqual([]);
    expect(plan.keep[0]?.reasons).toContain("no rule deletes");
  });

  it("keeps the newest of each period, and one backup for several reasons", () => {
    const plan = planRetention(days(31), rules({ daily: 7, weekly: 4, monthly: 2 }), "UTC", NOW);
    // 7 days; Sundays 31, 24, 17, 10; one month only.
    expect(plan.keep.map(({ id }) => Number(id.slice(8, 10)))).toEqual([
      31, 30, 29, 28, 27, 26, 25, 24, 17, 10,
    ]);
    expect(plan.keep[0]?.reasons).toEqual(["daily", "weekly", "monthly", "proven", "newest"]);
    expect(plan.remove).toHaveLength(21);
    expect(plan.remove[0]?.slice(8, 10)).toBe("01");
  });

  it("counts periods that have a backup, so that an outage deletes nothing", () => {
    const old = [backup("2025-03-01T00:00Z"), backup("2025-02-01T00:00Z"), backup("2025-01-01T00:00Z")];
    expect(kept(old, { daily: 2 })).toEqual(["2025-03-01T00:00Z", "2025-02-01T00:00Z"]);
  });

  it("never removes the newest proven ones, whatever the rules say", () => {
    const unproven = days(10, (index) => ({ proven: index >= 7 }));
    expect(kept(unproven, { last: 1, proven: 2 }).map((id) => id.slice(8, 10))).toEqual(["31", "24", "23"]);
  });

  it("keeps pinned backups and always the newest one", () => {
    const some = days(5, (index) => ({ pinned: index === 4, proven: false }));
    expect(kept(some, { last: 1 }).map((id) => id.slice(8, 10))).toEqual(["31", "27"]);
    expect(kept(some, { yearly: 1 }).map((id) => id.slice(8, 10))).toEqual(["31", "27"]);
  });

  it("takes periods from the calendar of the zone", () => {
    // 23:30 UTC is the next day in Berlin.
    const two = [backup("2027-01-01T23:30Z"), backup("2027-01-01T12:00Z")];
    expect(kept(two, { daily: 2 })).toEqual(["2027-01-01T23:30Z"]);
    expect(kept(two, { daily: 2 }, "Europe/Berlin")).toEqual(["2027-01-01T23:30Z", "2027-01-01T12:00Z"]);
  });

  it("tells the two hours apart that summer time's end shows twice", () => {
    const night = [backup("2026-10-25T01:30Z"), backup("2026-10-25T00:30Z")];
    expect(kept(night, { hourly: 2 }, "Europe/Berlin")).toHaveLength(2);
    expect(kept(night, { daily: 2 }, "Europe/Berlin")).toHaveLength(1);
  });

  it("begins weeks on Monday, also across a new year", () => {
    // Thursday 31 December 2026 and Sunday 3 January 2027 are in one week; Monday 4 January is in the next.
    const some = [backup("2027-01-04T00:00Z"), backup("2027-01-03T00:00Z"), backup("2026-12-31T00:00Z")];
    expect(kept(some, { weekly: 5 })).toEqual(["2027-01-04T00:00Z", "2027-01-03T00:00Z"]);
  });

  it("lets one that failed its proof, or that can't be reached, push out no good one", () => {
    const some = [
      backup("2027-01-03T14:00Z", { proven: false, sound: false }),
      backup("2027-01-03T02:00Z"),
      backup("2027-01-02T14:00Z", { sound: false }),
      backup("2027-01-02T02:00Z"),
      backup("2027-01-01T02:00Z"),
    ];
    expect(kept(some, { daily: 2 })).toEqual(some.slice(0, 4).map(({ id }) => id));
    expect(kept(some, { last: 1, proven: 2 })).toEqual(some.slice(0, 4).map(({ id }) => id));
  });

  it("keeps what a clock that was ahead dated in the future, and gives it no place", () => {
    const some = [backup("2027-03-01T00:00Z"), backup("2027-01-02T00:00Z"), backup("2027-01-01T00:00Z")];
    expect(kept(some, { last: 1 })).toEqual(["2027-03-01T00:00Z", "2027-01-02T00:00Z"]);
  });

  it("is stable for backups of the same moment", () => {
    const twins = [backup("2027-01-01T00:00Z", { id: "a" }), backup("2027-01-01T00:00Z", { id: "b" })];
    expect(kept(twins, { last: 1 })).toEqual(["b"]);
    expect(kept(twins.toReversed(), { last: 1 })).toEqual(["b"]);
  });

  it("keeps or removes each exactly once", () => {
    const many = days(400, (index) => ({ proven: index % 3 === 0 }));
    const plan = planRetention(
      many,
      rules({ last: 2, hourly: 5, daily: 7, weekly: 4, monthly: 12, yearly: 2 }),
      "UTC",
      NOW,
    );
    const all = [...plan.keep.map(({ id }) => id), ...plan.remove];
    expect(new Set(all).size).toBe(400);
    expect(all).toHaveLength(400);
  });
});

describe("planDatabase", () => {
  const policy = (id: string, some: Partial<Retention>, paused = false): Rules => ({
    id,
    retention: rules(some),
    zone: "UTC",
    paused,
  });
  const owned = (at: string, policyId: string | null, more: Partial<Candidate> = {}): Owned => ({
    ...backup(at, { proven: false, ...more }),
    policyId,
  });
  const nightly = ["2027-01-03T02:00Z", "2027-01-02T02:00Z", "2027-01-01T02:00Z"].map((at) =>
    owned(at, "nightly"),
  );
  const hourly = ["2027-01-03T03:00Z", "2027-01-03T01:00Z"].map((at) => owned(at, "hourly"));
  const byHand = [owned("2027-01-02T12:00Z", null), owned("2026-12-24T12:00Z", null)];

  it("lets each policy decide about its own backups", () => {
    const plan = planDatabase(
      [policy("nightly", { last: 1 }), policy("hourly", { last: 1 })],
      [...nightly, ...hourly],
      NOW,
    );
    expect(plan.keep.map(({ id }) => id)).toEqual(["2027-01-03T03:00Z", "2027-01-03T02:00Z"]);
    expect(plan.remove).toEqual(["2027-01-01T02:00Z", "2027-01-02T02:00Z", "2027-01-03T01:00Z"]);
  });

  it("removes what is no policy's only when all that run agree", () => {
    const all = [...nightly, ...hourly, ...byHand];
    const both = [policy("nightly", { last: 1 }), policy("hourly", { last: 1 })];
    expect(planDatabase(both, all, NOW).remove).toEqual(expect.arrayContaining(byHand.map(({ id }) => id)));
    const one = [policy("nightly", { last: 1 }), policy("hourly", { last: 9 })];
    const kept = planDatabase(one, all, NOW).keep.map(({ id }) => id);
    expect(kept).toEqual(expect.arrayContaining(byHand.map(({ id }) => id)));
  });

  it("removes nothing of a policy that does not cover the database any more", () => {
    const gone = owned("2026-12-24T02:00Z", "archived");
    const plan = planDatabase([policy("nightly", { last: 1 })], [...nightly, gone], NOW);
    expect(plan.keep.at(-1)).toEqual({ id: gone.id, reasons: ["its policy covers it no more"] });
  });

  it("keeps as many of the newest proven ones as the most careful policy asks for", () => {
    const all = [...nightly, ...hourly].map((one) => ({ ...one, proven: true }));
    const some = [policy("nightly", { last: 1 }), policy("hourly", { last: 1, proven: 4 })];
    expect(planDatabase(some, all, NOW).remove).toEqual(["2027-01-01T02:00Z"]);
  });

  it("removes nothing of a paused policy, and nothing at all where all are paused or none is there", () => {
    const paused = [policy("nightly", { last: 1 }, true)];
    const plan = planDatabase(paused, [...nightly, ...byHand], NOW);
    expect(plan.remove).toEqual([]);
    expect(plan.keep.find(({ id }) => id === nightly[2]?.id)?.reasons).toEqual(["paused"]);
    expect(planDatabase([], byHand, NOW).remove).toEqual([]);
  });
});
