import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/test.ts", process.argv.slice(2)), { dev: true });
