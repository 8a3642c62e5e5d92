import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { ensureBuilt, ensureGenerated } from "../../lib/start/build.ts";
import { say } from "../progress.mjs";
import { runProgram } from "./run-program.ts";
import type { Tally } from "./tally.ts";

interface Suite {
  title: string;
  specs?: { title: string; ok: boolean; tests: { status: string }[] }[] | undefined;
  suites?: Suite[] | undefined;
}
const suiteSchema: z.ZodType<Suite> = z.lazy(() =>
  z.object({
    title: z.string(),
    specs: z
      .array(
        z.object({ title: z.string(), ok: z.boolean(), tests: z.array(z.object({ status: z.string() })) }),
      )
      .optional(),
    suites: z.array(suiteSchema).optional(),
  }),
);
const reportSchema = z.object({
  suites: z.array(suiteSchema),
  errors: z.array(z.object({ message: z.string().optional() })).default([]),
});

/** Reads Playwright's JSON report; an error outside any test (the install did not start) counts as one. */
export function readPlaywrightReport(text: string, exitCode: number | null): Tally {
  const report = reportSchema.parse(JSON.parse(text));
  const tally: Tally = { passed: 0, failures: [] };
  const walk = (suite: Suite, above: string) => {
    const name = [above, suite.title].filter((part) => part !== "").join(" > ");
    for (const spec of suite.specs ?? []) {
      for (const { status } of spec.tests) {
        if (status === "expected" || status === "flaky") tally.passed += 1;
        else if (status === "unexpected") tally.failures.push(`e2e: ${name} > ${spec.title}`);
      }
    }
    for (const inner of suite.suites ?? []) walk(inner, name);
  };
  for (const suite of report.suites) walk(suite, "");
  for (const error of report.errors) tally.failures.push(`e2e: ${(error.message ?? "error").split("\n")[0]}`);
  if (exitCode !== 0 && tally.failures.length === 0) tally.failures.push(`e2e: ended with code ${exitCode}`);
  return tally;
}

/** Runs the journeys in a browser, against a real install that Playwright's set-up starts. */
export async function runPlaywright(reports: string): Promise<Tally> {
  await ensureGenerated();
  await ensureBuilt();
  say("tests: e2e");
  const file = path.join(reports, "e2e.json");
  const code = await runProgram("@playwright/test/cli.js", ["test"], { PLAYWRIGHT_JSON_OUTPUT_NAME: file });
  if (!existsSync(file)) return { passed: 0, failures: [`e2e: no report, ended with code ${code}`] };
  return readPlaywrightReport(readFileSync(file, "utf8"), code);
}
