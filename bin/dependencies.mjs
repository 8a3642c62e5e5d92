// Plain JavaScript for the host's Node: gets the dependencies.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { MODULES, ROOT, StartFailure } from "./place.mjs";
import { say, step } from "./progress.mjs";

const INSTALL_TIMEOUT_MS = 15 * 60_000;

/** Why node_modules does not match package-lock.json, or null. Compares contents: clones and copies change times. */
function dependenciesOutdated({ dev }) {
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
        "--fetch-retries=3",
        "--fetch-retry-factor=3",
        "--fetch-retry-mintimeout=1000",
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
