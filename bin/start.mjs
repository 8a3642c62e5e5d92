import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/start.ts", process.argv.slice(2)));
