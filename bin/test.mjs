import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/test.ts", process.argv.slice(2)), { dev: true });
