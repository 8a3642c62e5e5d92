import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/make-keys.ts", process.argv.slice(2)));
