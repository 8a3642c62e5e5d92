// Makes the database client and builds the web pages, if something has changed: for images; npm start does it itself.
import { ensureBuilt, ensureGenerated } from "../lib/start/build.ts";
import { explain } from "../lib/start/explain.ts";
import { complain } from "./progress.mjs";

try {
  await ensureGenerated();
  await ensureBuilt();
} catch (error) {
  complain(explain(error));
  process.exit(1);
}
process.exit(0);
