import { boot, runScript } from "./bootstrap.mjs";

await boot(() => runScript("bin/test-containers.ts", []));
