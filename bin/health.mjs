// For orchestrators: `node bin/health.mjs web|worker` ends with 0 when the process of this container is well.
import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/health.ts", process.argv.slice(2)));
