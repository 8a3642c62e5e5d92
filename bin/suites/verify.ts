import { ensureGenerated } from "../../lib/start/build.ts";
import { say } from "../progress.mjs";
import { runProgram } from "./run-program.ts";
import type { Tally } from "./tally.ts";

const STEPS: { name: string; script: string; args: string[] }[] = [
  { name: "format and lint", script: "@biomejs/biome/bin/biome", args: ["check", "."] },
  { name: "types", script: "typescript/bin/tsc", args: ["--noEmit"] },
  {
    name: "import boundaries",
    script: "dependency-cruiser/bin/dependency-cruiser.mjs",
    args: ["app", "components", "lib", "worker", "bin", "--config", ".dependency-cruiser.cjs"],
  },
  { name: "dead code", script: "knip/bin/knip.js", args: [] },
];

/** Format, lint, types, import boundaries, dead code: needs no database and takes seconds. Each counts as one. */
export async function runVerify(): Promise<Tally> {
  await ensureGenerated();
  const tally: Tally = { passed: 0, failures: [] };
  for (const { name, script, args } of STEPS) {
    say(`verify: ${name}`);
    if ((await runProgram(script, args)) === 0) tally.passed += 1;
    else tally.failures.push(`verify: ${name}`);
  }
  return tally;
}
