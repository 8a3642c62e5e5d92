import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/demo.ts", process.argv.slice(2)));
