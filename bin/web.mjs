import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/web.ts", process.argv.slice(2)));
