import { parseArgs } from "node:util";
import { explain } from "../lib/start/explain.ts";
import { startInstall } from "../lib/start/install.ts";
import { complain } from "./progress.mjs";

try {
  const { values } = parseArgs({ options: { demo: { type: "boolean", default: false } } });
  process.exitCode = await startInstall({ demo: values.demo });
} catch (error) {
  complain(explain(error));
  process.exitCode = 1;
}
process.exit();
