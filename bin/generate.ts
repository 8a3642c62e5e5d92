// Makes the database client if it is not there or out of date; for programs that run apart from npm start.
import { ensureGenerated } from "../lib/start/build.ts";
import { explain } from "../lib/start/explain.ts";
import { complain } from "./progress.mjs";

try {
  await ensureGenerated();
} catch (error) {
  complain(explain(error));
  process.exit(1);
}
process.exit(0);
