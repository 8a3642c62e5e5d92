import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/web.ts", process.argv.slice(2)));
