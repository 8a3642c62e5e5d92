// npm run bench -- <name> [options]: runs bench/<name>.ts on the bundled runtime.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

const folder = import.meta.dirname;
const [name = "", ...rest] = process.argv.slice(2);
const file = path.join(folder, `${name}.ts`);
if (!/^[a-z-]+$/.test(name) || !existsSync(file)) {
  const names = readdirSync(folder)
    .filter((entry) => entry.endsWith(".ts") && !entry.includes("-"))
    .map((entry) => entry.slice(0, -3));
  console.error(`Say which benchmark: npm run bench -- ${names.join("|")}`);
  process.exit(2);
}
const { status } = spawnSync(process.execPath, [file, ...rest], { stdio: "inherit" });
process.exit(status ?? 1);
