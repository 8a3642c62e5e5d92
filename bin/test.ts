// npm test [-- <suite>…] [--full]: every suite, or those named, and one closing line for all of them together.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { onParentGone } from "../lib/start/parent-pipe.ts";
import { complain, say } from "./progress.mjs";
import { ensureMoreServers } from "./suites/more-servers.ts";
import { runPlaywright } from "./suites/playwright.ts";
import { endRunning } from "./suites/run-program.ts";
import type { Tally } from "./suites/tally.ts";
import { sum } from "./suites/tally.ts";
import { ensureTestTools } from "./suites/test-tools.ts";
import { runVerify } from "./suites/verify.ts";
import { runVitest } from "./suites/vitest.ts";

const SUITES = ["verify", "unit", "contract", "integration", "e2e"] as const;
type Suite = (typeof SUITES)[number];

const isSuite = (name: string): name is Suite => (SUITES as readonly string[]).includes(name);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { full: { type: "boolean", default: false } },
  });
  const wrong = positionals.find((name) => !isSuite(name));
  if (wrong) {
    complain(`There is no suite ${wrong}; known: ${SUITES.join(" ")}`);
    return 2;
  }
  const chosen: readonly string[] = positionals.length > 0 ? positionals : SUITES;
  if (!(await ensureTestTools(chosen))) return 1;
  if (values.full) {
    if (!(await ensureMoreServers())) return 1;
    process.env.HOLDFAST_TEST_FULL = "1";
  }

  const reports = mkdtempSync(path.join(tmpdir(), "holdfast-reports-"));
  try {
    const tallies: Tally[] = [];
    if (chosen.includes("verify")) tallies.push(await runVerify());
    for (const project of ["unit", "contract", "integration"] as const) {
      if (chosen.includes(project)) tallies.push(await runVitest(project, reports));
    }
    if (chosen.includes("e2e")) tallies.push(await runPlaywright(reports));
    const total = sum(tallies);
    for (const name of total.failures) say(`failed: ${name}`);
    say(`${total.passed} passed, ${total.failures.length} failed`);
    return total.failures.length === 0 ? 0 : 1;
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

const stop = () => {
  endRunning();
  process.exit(130);
};
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
onParentGone(stop);
process.exit(await main());
