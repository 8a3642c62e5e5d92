import { describe, expect, test } from "vitest";
import { EXIT } from "./exit.ts";
import { parseTimeout } from "./wait.ts";

describe("parseTimeout", () => {
  test.each([
    ["90s", 90_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["45", 45_000],
  ])("%s", (text, ms) => expect(parseTimeout(text)).toBe(ms));

  test.each(["", "0", "-1m", "10 m", "1d", "soon", "1.5h"])("refuses %j as bad usage", (text) => {
    expect(() => parseTimeout(text)).toThrow(expect.objectContaining({ exitCode: EXIT.usage }));
  });
});
