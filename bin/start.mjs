import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/start.ts", process.argv.slice(2)));
