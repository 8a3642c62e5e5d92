import path from "node:path";
import { expect, test } from "vitest";
import { readPlaywrightReport } from "./playwright.ts";
import { ROOT } from "./run-program.ts";
import { sum } from "./tally.ts";
import { readVitestReport } from "./vitest.ts";

const file = (name: string, status: string, results: [string, string][]) => ({
  name: path.join(ROOT, name),
  status,
  assertionResults: results.map(([fullName, result]) => ({ fullName, status: result })),
});

test("vitest: passed and failed tests count, and so does a file that can't be loaded", () => {
  const report = JSON.stringify({
    testResults: [
      file("a.test.ts", "failed", [
        ["one", "passed"],
        ["two", "failed"],
      ]),
      file("b.test.ts", "failed", []),
    ],
  });
  expect(readVitestReport(report, "unit", 1)).toEqual({
    passed: 1,
    failures: ["unit: a.test.ts: two", "unit: b.test.ts"],
  });
});

test("vitest: a run that passed and ended badly has failed", () => {
  const report = JSON.stringify({ testResults: [file("a.test.ts", "passed", [["one", "passed"]])] });
  expect(readVitestReport(report, "unit", 1)).toEqual({ passed: 1, failures: ["unit: ended with code 1"] });
});

test("Playwright: tests at any depth, and an error outside any test", () => {
  const spec = (title: string, status: string) => ({ title, ok: status === "expected", tests: [{ status }] });
  const report = JSON.stringify({
    suites: [
      {
        title: "a.spec.ts",
        specs: [spec("one", "expected")],
        suites: [{ title: "inner", specs: [spec("two", "unexpected")] }],
      },
    ],
    errors: [{ message: "no install\nmore" }],
  });
  expect(readPlaywrightReport(report, 1)).toEqual({
    passed: 1,
    failures: ["e2e: a.spec.ts > inner > two", "e2e: no install"],
  });
});

test("all suites together", () => {
  expect(
    sum([
      { passed: 2, failures: [] },
      { passed: 1, failures: ["x"] },
    ]),
  ).toEqual({ passed: 3, failures: ["x"] });
});
