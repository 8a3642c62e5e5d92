// For orchestrators: `node bin/health.mjs web|worker` ends with 0 when the process of this container is well.
import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/health.ts", process.argv.slice(2)));
