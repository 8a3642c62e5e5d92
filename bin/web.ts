import { explain } from "../lib/start/explain.ts";
import { runWeb } from "../lib/start/web.ts";
import { complain } from "./progress.mjs";

try {
  await runWeb();
} catch (error) {
  complain(explain(error));
  process.exit(1);
}
