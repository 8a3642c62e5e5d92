import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { ensureBuilt, ensureGenerated } from "../../lib/start/build.ts";
import { say } from "../progress.mjs";
import { ROOT, runProgram } from "./run-program.ts";
import type { Tally } from "./tally.ts";

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** Reads vitest's JSON report. A file that failed without a failing test (it could not be loaded) counts as one. */
export function readVitestReport(text: string, suite: string, exitCode: number | null): Tally {
  const { testResults } = reportSchema.parse(JSON.parse(text));
  const tally: Tally = { passed: 0, failures: [] };
  for (const file of testResults) {
    const name = path.relative(ROOT, file.name);
    const failed = file.assertionResults.filter((result) => result.status === "failed");
    tally.passed += file.assertionResults.filter((result) => result.status === "passed").length;
    tally.failures.push(...failed.map((result) => `${suite}: ${name}: ${result.fullName}`));
    if (file.status === "failed" && failed.length === 0) tally.failures.push(`${suite}: ${name}`);
  }
  if (exitCode !== 0 && tally.failures.length === 0)
    tally.failures.push(`${suite}: ended with code ${exitCode}`);
  return tally;
}

/** Runs one vitest project. */
export async function runVitest(project: string, reports: string): Promise<Tally> {
  await ensureGenerated();
  if (project === "integration") await ensureBuilt();
  say(`tests: ${project}`);
  const file = path.join(reports, `${project}.json`);
  const code = await runProgram("vitest/vitest.mjs", [
    "run",
    `--project=${project}`,
    "--passWithNoTests",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
  ]);
  if (!existsSync(file)) return { passed: 0, failures: [`${project}: no report, ended with code ${code}`] };
  return readVitestReport(readFileSync(file, "utf8"), project, code);
}
