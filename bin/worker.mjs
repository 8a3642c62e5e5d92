import { boot, runScript } from "./bootstrap.mjs";

await boot(
  async () =>
    (await runScript("bin/generate.ts", [])) || (await runScript("worker/index.ts", process.argv.slice(2))),
);
