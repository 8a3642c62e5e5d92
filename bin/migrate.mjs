import { enter } from "./enter.mjs";

enter(
  async ({ runScript }) =>
    (await runScript("bin/generate.ts", [])) || (await runScript("bin/migrate.ts", [])),
);
