import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/build.ts", []));
