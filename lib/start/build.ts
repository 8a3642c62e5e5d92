import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { step } from "../../bin/progress.mjs";
import { HoldfastError } from "../errors.ts";
import { ROOT } from "../root.ts";
import { takeLock } from "./lock.ts";
import { firstError, runTool } from "./run-tool.ts";
import { contentStamp } from "./stamp.ts";

const CLIENT = path.join(ROOT, "lib/db/generated");
const BUILD_TIMEOUT_MS = 15 * 60_000;

/** Everything that the built pages depend on. */
const BUILD_INPUTS = [
  "app",
  "components",
  "lib",
  "prisma/schema",
  "public",
  "instrumentation.ts",
  "next.config.ts",
  "postcss.config.mjs",
  "proxy.ts",
  "package-lock.json",
];

/** Next's output folder. */
export function buildFolder(): string {
  return path.join(ROOT, process.env.NEXT_DIST_DIR ?? ".next");
}

function isCurrent(stampFile: string, stamp: string): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8").trim() === stamp;
}

/** Makes the database client when the schema has changed since it was last made (about a second). */
export async function ensureGenerated(signal?: AbortSignal): Promise<void> {
  const stamp = contentStamp(ROOT, ["prisma/schema", "node_modules/prisma/package.json"]);
  const stampFile = path.join(CLIENT, ".stamp");
  if (existsSync(path.join(CLIENT, "client.ts")) && isCurrent(stampFile, stamp)) return;
  await oneAtATime(async () => {
    if (isCurrent(stampFile, stamp)) return;
    const result = await step("Making the database client", () =>
      runTool(process.execPath, ["node_modules/prisma/build/index.js", "generate", "--no-hints"], {
        // Nothing is downloaded: generating needs no schema engine, but looks for one.
        env: { PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true", CHECKPOINT_DISABLE: "1" },
        timeoutMs: BUILD_TIMEOUT_MS,
        signal,
      }),
    );
    if (result.code !== 0)
      throw failed("The database client could not be made", result.output, "npm run generate");
    writeFileSync(stampFile, `${stamp}\n`);
  }, signal);
}

/** Builds the web pages when something that they depend on has changed since the last build. */
export async function ensureBuilt(signal?: AbortSignal): Promise<void> {
  const stamp = contentStamp(ROOT, BUILD_INPUTS);
  const stampFile = path.join(buildFolder(), "holdfast.stamp");
  if (existsSync(path.join(buildFolder(), "BUILD_ID")) && isCurrent(stampFile, stamp)) return;
  await oneAtATime(async () => {
    if (isCurrent(stampFile, stamp)) return;
    rmSync(stampFile, { force: true });
    const result = await step("Building the web pages (once)", () =>
      runTool(process.execPath, ["node_modules/next/dist/bin/next", "build"], {
        env: { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1", HOLDFAST_BUILD: "start" },
        timeoutMs: BUILD_TIMEOUT_MS,
        signal,
      }),
    );
    if (result.code !== 0) throw failed("The web pages could not be built", result.output, "npx next build");
    writeFileSync(stampFile, `${stamp}\n`);
  }, signal);
}

function failed(what: string, output: string, command: string): HoldfastError {
  return new HoldfastError("unavailable", `${what}:\n${firstError(output)}`, {
    remedy: `See all of it with: ${command}`,
  });
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Two starts in one clone must not write into the same output. */
async function oneAtATime(work: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  const file = path.join(ROOT, "node_modules/.holdfast-build.lock");
  // Dependencies that another user installed: there is no other start of that user to wait for.
  if (!isWritable(path.dirname(file))) return await work();
  let lock = takeLock(file);
  if (!lock) {
    await step("Waiting for another start in this folder", async () => {
      while (!lock) {
        await delay(200, undefined, signal ? { signal } : {});
        lock = takeLock(file);
      }
    });
  }
  try {
    await work();
  } finally {
    lock?.release();
  }
}
