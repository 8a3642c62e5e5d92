import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ROOT } from "../../lib/root.ts";
import { findProgram } from "../../lib/sandbox/isolation.ts";
import { ensureBuilt, ensureGenerated } from "../../lib/start/build.ts";
import { freePort } from "../../lib/testing/postgres.ts";
import type { InstallOptions } from "../install.ts";
import { spawnInstall } from "../install.ts";

const NOBODY = 65_534;
const WAIT = { timeout: 60_000, interval: 50 };

let folder: string;
beforeAll(async () => {
  await ensureGenerated();
  await ensureBuilt();
  folder = mkdtempSync(path.join(tmpdir(), "hf-e2e-refused-"));
  chmodSync(folder, 0o755);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failedStart(env: Record<string, string>, more: Partial<InstallOptions> = {}) {
  const place = { port: await freePort(), dataFolder: path.join(folder, "other") };
  const { exited, console: said } = spawnInstall({ ...place, env, ...more });
  return { code: await exited, said: said().trim() };
}

test("a wrong setting is named, and why", async () => {
  const { code, said } = await failedStart({ HOLDFAST_CONCURRENCY: "many" });
  expect(code).toBe(1);
  expect(said).toMatch(/^Wrong setting\. HOLDFAST_CONCURRENCY: .*docs\/settings\.md lists all settings\.$/);
});

test("a taken port comes with the setting that chooses another", async () => {
  const other = createServer();
  const taken = await freePort();
  await new Promise<void>((resolve) => other.listen(taken, "127.0.0.1", resolve));
  const { code, said } = await failedStart({ PORT: String(taken) });
  other.close();
  expect(code).toBe(1);
  expect(said).toBe(
    `Port ${taken} on 127.0.0.1 is taken by another program. Choose another with PORT: PORT=${taken + 1} npm start`,
  );
});

test("a data folder that can't be written is explained", async () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  const { code, said } = await failedStart({}, { dataFolder: file });
  expect(code).toBe(1);
  expect(said).toContain(`The data folder ${file} cannot be written (a file is in the way).`);
});

test("an old Node is told which command brings another", async () => {
  const old = `Object.defineProperty(process, "version", { value: "v18.20.4" });
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } });`;
  const flag = `--import=data:text/javascript,${encodeURIComponent(old)}`;
  const { code, said } = await failedStart({ NODE_OPTIONS: flag }, { args: ["--demo"] });
  expect(code).toBe(1);
  expect(said).toMatch(
    /^Holdfast needs Node 20 or later and this is v18\.20\.4; run it with one from npm: npx -p node[\w-]*@24 node (\S*\/)?bin\/start\.mjs --demo \(or install one: \S+\)$/,
  );
});

test("a registry that can't be reached on a first start is named as the reason", async () => {
  const clone = path.join(folder, "clone");
  for (const name of ["bin", "package.json", "package-lock.json"]) {
    cpSync(path.join(ROOT, name), path.join(clone, name), { recursive: true });
  }
  // Nobody listens there, and nothing was fetched before.
  const registry = `http://127.0.0.1:${await freePort()}`;
  const env = { npm_config_registry: registry, npm_config_cache: path.join(folder, "cache") };
  const { code, said } = await failedStart(env, { root: clone });
  expect(code).toBe(1);
  expect(said).toMatch(
    /^Installing dependencies, because they are not installed; this takes about a minute\./,
  );
  expect(said.split("\n").at(-1)).toBe(
    "The npm registry could not be reached, so the dependencies are not installed; check the network or your proxy with: npm ping",
  );
  expect(existsSync(path.join(clone, "node_modules/next"))).toBe(false);
});

/** Where nobody has installed a PostgreSQL client, and apt-get writes down what it is asked for. */
function withoutClient(name: string, apt: string) {
  const bin = path.join(folder, name);
  mkdirSync(bin);
  for (const program of ["bwrap", "setpriv", "prlimit", "id", "test"]) {
    const found = findProgram(program);
    if (found) symlinkSync(found, path.join(bin, program));
  }
  const log = path.join(bin, "asked");
  writeFileSync(log, "");
  writeFileSync(path.join(bin, "apt-get"), `#!/bin/sh\necho "$*" >>${log}\n${apt}\n`, { mode: 0o755 });
  const hide = ["--dev-bind", "/", "/", "--tmpfs", "/usr/lib/postgresql"];
  return {
    asked: () => readFileSync(log, "utf8").trim().split("\n").filter(Boolean),
    env: { PATH: bin },
    wrapper: [findProgram("bwrap") ?? "bwrap", "--die-with-parent", ...hide],
  };
}

const BACKED_UP = "pg_dump was not found, so PostgreSQL databases cannot be backed up; to change that:";
const root = process.getuid?.() === 0;

/** Starts until the console says that, and ends it. Returns all that it said. */
async function startUntil(said: string, options: Partial<InstallOptions>): Promise<string> {
  const place = { port: await freePort(), dataFolder: path.join(folder, "data") };
  const { child, exited, console: all } = spawnInstall({ ...place, ...options });
  // It ends when this closes; a signal would reach the program that it runs under.
  await vi.waitFor(() => expect(all()).toContain(said), WAIT).finally(() => child.stdin?.end());
  expect(await exited).toBe(0);
  return all();
}

describe.runIf(existsSync("/usr/bin/apt-get"))("a machine without pg_dump", () => {
  const SAID = "pg_dump is missing here; installing postgresql-client with apt-get.";
  const INSTALL = "install -y -q --no-install-recommends postgresql-client";

  test.runIf(root)("gets it, after saying so", async () => {
    const { asked, ...options } = withoutClient("works", `case $1 in install) : >"\${0%/*}/pg_dump" ;; esac`);
    const all = await startUntil("Holdfast is ready: ", options);
    expect(all).toContain(SAID);
    expect(all).not.toContain("was not found");
    expect(asked()).toEqual(["update -q", INSTALL]);
  });

  test.runIf(root)("is told the command when that fails, and starts all the same", async () => {
    const { asked, ...options } = withoutClient("fails", `echo "E: no such package"; exit 100`);
    const all = await startUntil(`${BACKED_UP} apt-get install -y postgresql-client`, options);
    expect(all).toContain(SAID);
    expect(all).toContain("Installing failed: E: no such package");
    expect(asked()).toEqual(["update -q", INSTALL]);
  });

  test.runIf(root)("is told the command when nothing may be installed", async () => {
    const { asked, env, wrapper } = withoutClient("asked-not-to", "exit 100");
    const options = { env: { ...env, HOLDFAST_INSTALL_TOOLS: "off" }, wrapper };
    const all = await startUntil(`${BACKED_UP} apt-get install -y postgresql-client`, options);
    expect(all).not.toContain("installing");
    expect(asked()).toEqual([]);
  });

  test("is told the command as an ordinary user", async () => {
    const { asked, env, wrapper } = withoutClient("ordinary", "exit 100");
    const home = path.join(folder, "home");
    mkdirSync(home);
    if (root) {
      chownSync(home, NOBODY, NOBODY);
      wrapper.push("setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups");
    }
    const options = { env: { ...env, HOME: home }, wrapper, dataFolder: path.join(home, "data") };
    const all = await startUntil(`${BACKED_UP} sudo apt-get install -y postgresql-client`, options);
    expect(all).not.toContain("installing");
    expect(asked()).toEqual([]);
  });
});
