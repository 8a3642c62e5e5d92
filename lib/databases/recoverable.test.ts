import { expect, test } from "vitest";
import type { CopyCounts, RecoverableFacts } from "./recoverable.ts";
import { recoverable } from "./recoverable.ts";

const now = new Date("2026-11-21T12:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const before = (ms: number) => new Date(now.getTime() - ms);

const copies = (more: Partial<CopyCounts>): CopyCounts => ({
  stored: 2,
  missing: 0,
  altered: 0,
  unreachable: 0,
  failed: 0,
  ...more,
});
const proven = (ms: number, more: Partial<NonNullable<RecoverableFacts["lastProven"]>> = {}) => ({
  id: "p",
  at: before(ms),
  provenAt: before(ms),
  byCount: false,
  restoreSeconds: 11,
  copies: copies({}),
  offHost: true,
  ...more,
});
const fact = (id: string, ms: number, reason: string | null = null) => ({ id, at: before(ms), reason });

function judged(facts: Partial<RecoverableFacts>) {
  return recoverable({
    now,
    registeredAt: before(90 * DAY),
    lastGood: facts.lastProven ? { id: "p", at: facts.lastProven.at } : null,
    lastProven: null,
    lastFailedProof: null,
    lastUnverifiable: null,
    lastFailedBackup: null,
    running: null,
    kitConfirmed: true,
    ...facts,
  });
}

function state(facts: Partial<RecoverableFacts>) {
  const { promise, restorable } = judged(facts);
  const plain = (text: string | null) => text?.replaceAll("\u00a0", " ") ?? null;
  return {
    state: promise.state,
    text: plain(promise.text),
    detail: plain(promise.detail),
    href: promise.href,
    restorable,
  };
}

test("proven, fresh and without a caveat", () => {
  expect(state({ lastProven: proven(3 * HOUR) })).toEqual({
    state: "ok",
    text: "proven 3 h ago",
    detail: "restores in 11 s",
    href: "/backups/p",
    restorable: true,
  });
});

test("proven by count says so, and an unknown restore time is left out", () => {
  expect(state({ lastProven: proven(6 * HOUR, { byCount: true, restoreSeconds: null }) })).toMatchObject({
    state: "ok",
    text: "proven by count 6 h ago",
    detail: null,
  });
});

test("a proof from a clock that is ahead is just now", () => {
  expect(state({ lastProven: proven(-HOUR) }).text).toBe("proven just now");
});

test.each([
  [false, true, "recovery kit not confirmed"],
  [true, false, "no copy off this host"],
  [false, false, "recovery kit not confirmed, no copy off this host"],
])("kit confirmed %s, copy off this host %s: amber, and still proven", (kitConfirmed, offHost, detail) => {
  expect(state({ kitConfirmed, lastProven: proven(HOUR, { offHost }) })).toEqual({
    state: "warning",
    text: "proven 1 h ago",
    detail,
    href: "/backups/p",
    restorable: true,
  });
});

test.each<[Partial<CopyCounts>, string]>([
  [{ altered: 1 }, "a copy was altered"],
  [{ missing: 1 }, "a copy is missing"],
  [{ missing: 2 }, "2 copies are missing"],
  [{ unreachable: 1 }, "a copy could not be reached"],
  [{ failed: 1 }, "a copy was not made"],
  [{ failed: 1, altered: 1 }, "2 copies are not good"],
])("%j beside good copies is amber, and says what it is", (counts, detail) => {
  const lastProven = proven(HOUR, { copies: copies(counts) });
  expect(state({ lastProven })).toMatchObject({ state: "warning", detail, restorable: true });
});

test("what is a database's own caveat, and what concerns the whole install", () => {
  const caveat = (facts: Partial<RecoverableFacts>) => judged(facts).caveat;
  expect(caveat({ lastProven: proven(HOUR) })).toBeNull();
  expect(caveat({ kitConfirmed: false, lastProven: proven(HOUR, { offHost: false }) })).toBeNull();
  expect(caveat({ lastProven: proven(3 * HOUR), lastFailedBackup: fact("f", HOUR) })).toBe("run");
  expect(caveat({ lastProven: proven(3 * HOUR), lastUnverifiable: fact("u", HOUR) })).toBe("run");
  expect(caveat({ lastProven: proven(HOUR, { copies: copies({ failed: 1 }) }) })).toBe("copies");
  expect(caveat({ lastGood: { id: "g", at: before(HOUR) } })).toBeNull();
});

test.each<[Partial<CopyCounts>, string, string]>([
  [{ altered: 1 }, "no copy is left", "the only copy was altered"],
  [{ missing: 1 }, "no copy is left", "the only copy is missing"],
  [{ missing: 2 }, "no copy is left", "all 2 copies are missing"],
  [{ missing: 1, altered: 1 }, "no copy is left", "of 2 copies 1 was altered, 1 is missing"],
  [{ unreachable: 1 }, "no copy can be reached", "the only copy could not be reached"],
  [{ unreachable: 2 }, "no copy can be reached", "all 2 copies could not be reached"],
  [
    { unreachable: 1, altered: 2 },
    "no good copy is known",
    "of 3 copies 2 were altered, 1 could not be reached",
  ],
])(
  "%j and no stored copy is red, whatever the proof said, and says what is known",
  (counts, text, detail) => {
    const lastProven = proven(HOUR, { copies: copies({ stored: 0, ...counts }) });
    expect(state({ lastProven })).toMatchObject({ state: "problem", text, detail, restorable: false });
  },
);

test("never backed up: not known on the first day, red afterwards, with the failure if there was one", () => {
  expect(state({ registeredAt: before(HOUR) })).toEqual({
    state: "unknown",
    text: "never backed up",
    detail: null,
    href: null,
    restorable: false,
  });
  expect(state({ registeredAt: before(2 * DAY) }).state).toBe("problem");
  expect(
    state({ registeredAt: before(HOUR), lastFailedBackup: fact("f", HOUR, "wrong password") }),
  ).toMatchObject({
    state: "problem",
    detail: "last backup failed: wrong password",
    href: "/backups/f",
  });
});

test("a failed proof that is newer than the proven one is red with its reason", () => {
  const lastFailedProof = fact("f", HOUR, "3 rows differ in invoices");
  expect(state({ lastProven: proven(9 * DAY), lastFailedProof })).toEqual({
    state: "problem",
    text: "not proven for 9 days",
    detail: "3 rows differ in invoices",
    href: "/backups/f",
    restorable: false,
  });
  expect(state({ lastProven: proven(5 * HOUR), lastFailedProof }).text).toBe("last proof failed");
  const lastGood = { id: "f", at: before(HOUR) };
  expect(state({ lastGood, lastFailedProof: fact("f", HOUR) })).toMatchObject({
    state: "problem",
    text: "last proof failed",
    detail: "no reason given",
  });
});

test("a failed proof of an older backup does not outweigh a newer proven one", () => {
  expect(state({ lastProven: proven(HOUR), lastFailedProof: fact("f", DAY, "altered") })).toMatchObject({
    state: "ok",
    restorable: true,
  });
});

test("unverifiable is neither pass nor fail", () => {
  const lastUnverifiable = fact("u", HOUR, "extension postgis is not available here");
  expect(state({ lastGood: { id: "u", at: before(HOUR) }, lastUnverifiable })).toEqual({
    state: "warning",
    text: "could not be verified",
    detail: "extension postgis is not available here",
    href: "/backups/u",
    restorable: false,
  });
  expect(state({ lastProven: proven(2 * HOUR), lastUnverifiable })).toMatchObject({
    state: "warning",
    text: "proven 2 h ago",
    detail: "newest could not be verified: extension postgis is not available here",
    restorable: true,
  });
  expect(state({ lastProven: proven(HOUR / 2), lastUnverifiable }).state).toBe("ok");
});

test("a good backup that was never proven is amber, after a week red", () => {
  expect(state({ lastGood: { id: "g", at: before(3 * HOUR) } })).toEqual({
    state: "warning",
    text: "never proven",
    detail: "backed up 3 h ago",
    href: "/backups/g",
    restorable: false,
  });
  expect(state({ lastGood: { id: "g", at: before(8 * DAY) } }).state).toBe("problem");
  expect(
    state({ lastGood: { id: "g", at: before(3 * HOUR) }, lastFailedBackup: fact("f", HOUR, "disk full") })
      .detail,
  ).toBe("last backup failed: disk full");
});

test("a failed run after the proven backup is amber, one before it is history", () => {
  expect(state({ lastProven: proven(3 * HOUR), lastFailedBackup: fact("f", HOUR) })).toMatchObject({
    state: "warning",
    text: "proven 3 h ago",
    detail: "last backup failed",
    restorable: true,
  });
  expect(state({ lastProven: proven(HOUR), lastFailedBackup: fact("f", 3 * HOUR) }).state).toBe("ok");
});

test("stale proof is amber after a week and red after a month", () => {
  expect(state({ lastProven: proven(9 * DAY) })).toMatchObject({
    state: "warning",
    text: "not proven for 9 days",
    detail: "newest proven data is 9 days old",
    restorable: false,
  });
  expect(state({ lastProven: proven(31 * DAY) })).toMatchObject({ state: "problem", restorable: false });
  expect(state({ lastProven: proven(9 * DAY), lastFailedBackup: fact("f", DAY, "refused") }).detail).toBe(
    "last backup failed: refused",
  );
  expect(state({ lastProven: proven(9 * DAY), lastUnverifiable: fact("u", DAY) }).detail).toBe(
    "newest could not be verified: no reason given",
  );
});

test("old data proven again today is still old data", () => {
  expect(state({ lastProven: proven(20 * DAY, { provenAt: before(HOUR) }) })).toMatchObject({
    state: "warning",
    text: "not proven for 20 days",
  });
});

test.each([
  ["proof", false, "proving now"],
  ["proof", true, "waits for its proof"],
  ["backup", false, "backing up now"],
  ["backup", true, "waits for its backup"],
] as const)("a %s in progress (queued %s) shows what stood before", (doing, queued, text) => {
  const running = { operationId: "o", doing, queued };
  expect(state({ running, lastProven: proven(DAY, { restoreSeconds: 42 }) })).toEqual({
    state: "running",
    text,
    detail: "proven 1 day ago, 42 s",
    href: "/operations/o",
    restorable: true,
  });
  expect(
    state({ running, lastProven: proven(9 * DAY), lastFailedProof: fact("f", HOUR, "differs") }),
  ).toMatchObject({
    state: "running",
    detail: "not proven for 9 days",
    restorable: false,
  });
  expect(state({ running, registeredAt: before(HOUR) }).detail).toBe("never backed up");
});
