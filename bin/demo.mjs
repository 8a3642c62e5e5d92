import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/demo.ts", process.argv.slice(2)));
