// npm run keys:make -- FOLDER: the keys of a new install with DATABASE_URL, made once by the person who sets it up.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { HoldfastError } from "../lib/errors.ts";
import { createMissingKeys } from "../lib/secrets/key-files.ts";
import { explain } from "../lib/start/explain.ts";
import { complain, say } from "./progress.mjs";

try {
  const [given] = process.argv.slice(2);
  if (!given)
    throw new HoldfastError("invalid", "No folder was given.", {
      remedy: "Use: npm run keys:make -- FOLDER",
    });
  const folder = path.resolve(given);
  if (
    existsSync(folder) &&
    readdirSync(folder).some((name) => name.endsWith(".key") || name === "identity.txt")
  ) {
    throw new HoldfastError("refused", `${folder} holds keys already; they are left as they are.`);
  }
  await createMissingKeys(folder, new Date());
  say(`Made the keys in ${folder}. Copy them to every machine of this install, and to a safe place.`);
} catch (error) {
  complain(explain(error));
  process.exit(1);
}
process.exit(0);
