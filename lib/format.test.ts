import { describe, expect, it } from "vitest";
import {
  formatAmount,
  formatBytes,
  formatCount,
  formatDay,
  formatDuration,
  formatMoment,
  formatRate,
  formatRelative,
  percentOf,
  plural,
} from "./format.ts";

/** Expectations are written with ordinary spaces; the non-breaking one is checked apart. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("figures", () => {
  it("keeps number and unit on one line", () => {
    expect(formatBytes(118e6)).toBe("118\u00a0MB");
    expect(formatDuration(250)).toBe("4\u00a0min 10\u00a0s");
  });

  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1536, "1.54 kB"],
    [118_000_000, "118 MB"],
    [999_600_000, "1 GB"],
    [2_140_000_000, "2.14 GB"],
    [12_400_000_000, "12.4 GB"],
    [-5000, "−5 kB"],
  ])("%d bytes is %s", (bytes, text) => expect(plain(formatBytes(bytes))).toBe(text));

  it.each([
    [0, "0 s"],
    [0.004, "4 ms"],
    [0.34, "0.3 s"],
    [9, "9 s"],
    [9.97, "10 s"],
    [42.4, "42 s"],
    [59.7, "1 min"],
    [250, "4 min 10 s"],
    [3600, "1 h"],
    [3900, "1 h 5 min"],
    [183_600, "2 d 3 h"],
    [86_399.8, "1 d"],
  ])("%d seconds is %s", (seconds, text) => expect(plain(formatDuration(seconds))).toBe(text));

  it("counts and rates", () => {
    expect(formatCount(1_284_331)).toBe("1,284,331");
    expect(plain(plural(1, "copy", "copies"))).toBe("1 copy");
    expect(plain(plural(1200, "database"))).toBe("1,200 databases");
    expect(plain(formatRate(118e6, "bytes"))).toBe("118 MB/s");
    expect(plain(formatAmount(640_000, "rows"))).toBe("640,000 rows");
  });

  it("percent is unknown without a total and never leaves 0 to 100", () => {
    expect(percentOf(5, null)).toBeNull();
    expect(percentOf(5, 0)).toBeNull();
    expect(percentOf(15, 10)).toBe(100);
    expect(percentOf(1, 4)).toBe(25);
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  it.each([
    [0, "just now"],
    [44, "just now"],
    [46, "1 min ago"],
    [3 * 60, "3 min ago"],
    [89 * 60, "1 h ago"],
    [24 * 3600, "1 day ago"],
    [9 * 86_400, "9 days ago"],
    [-22 * 60, "in 22 min"],
    [-20, "in a moment"],
  ])("%d seconds before now is %s", (seconds, text) =>
    expect(plain(formatRelative(now - seconds * 1000, now))).toBe(text),
  );

  it("a moment is shown in the zone that was asked for", () => {
    const at = new Date("2026-11-12T01:15:09Z");
    expect(formatMoment(at, "Europe/Berlin")).toBe("12 Nov 2026, 02:15");
    expect(formatMoment(at, "UTC", true)).toBe("12 Nov 2026, 01:15:09");
    expect(formatDay("2026-11-12")).toBe("12 Nov 2026");
  });
});
