import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/build.ts", []));
