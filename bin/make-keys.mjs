import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/make-keys.ts", process.argv.slice(2)));
