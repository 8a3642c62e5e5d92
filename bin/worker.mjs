import { enter } from "./enter.mjs";

enter(
  async ({ runScript }) =>
    (await runScript("bin/generate.ts", [])) || (await runScript("worker/index.ts", process.argv.slice(2))),
);
