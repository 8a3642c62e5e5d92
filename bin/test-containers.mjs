import { enter } from "./enter.mjs";

enter(({ runScript }) => runScript("bin/test-containers.ts", []));
