import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { appendFile, chown, copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import type { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { ROOT } from "../../root.ts";
import { findProgram } from "../isolation.ts";
import { newSandboxUser } from "../sandbox-user.ts";
import { seccompProgram } from "../seccomp.ts";

const FILTER_FD = 3;

/**
 * Starts a script of ours as an ordinary user. Root becomes one: the clone, wherever it lies, is shown to that user
 * in `folder`, and the folder is theirs. Where root can't do that (no bubblewrap, or no right to use it), the script
 * runs as root, and says so by its uid.
 * @param refuse the kernel refuses the script any namespace, as on a host that allows none.
 */
export async function startAsUser(
  folder: string,
  script: string,
  args: string[],
  refuse: boolean,
): Promise<ChildProcess> {
  const node = path.relative(ROOT, process.execPath);
  const bwrap = findProgram("bwrap");
  const filter = refuse ? seccompProgram() : null;
  const outer = bwrap !== null && spawnSync(bwrap, ["--dev-bind", "/", "/", "true"]).status === 0;
  const user = outer ? await newSandboxUser() : null;
  const clone = user && outer ? path.join(folder, "clone") : ROOT;
  const argv: string[] = [];
  if (outer) {
    argv.push(bwrap, "--dev-bind", "/", "/");
    if (user) {
      await mkdir(clone);
      await chown(folder, user.uid, user.gid);
      // Users have accounts: PostgreSQL looks itself up.
      const accounts = path.join(folder, "passwd");
      await copyFile("/etc/passwd", accounts);
      await appendFile(accounts, `ordinary:x:${user.uid}:${user.gid}::/:/bin/false\n`);
      argv.push("--ro-bind", ROOT, clone, "--ro-bind", accounts, "/etc/passwd");
    }
    if (filter) argv.push("--seccomp", String(FILTER_FD));
    argv.push("--");
    if (user) argv.push("setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--");
  }
  argv.push(
    node.startsWith("..") ? process.execPath : path.join(clone, node),
    path.join(clone, script),
    ...args,
  );
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit", "pipe"] });
  (child.stdio[FILTER_FD] as Writable).on("error", () => undefined).end(filter ?? undefined);
  return child;
}

/** All that the script printed, as JSON. */
export async function resultAsUser(...how: Parameters<typeof startAsUser>): Promise<unknown> {
  const { stdout } = await startAsUser(...how);
  return JSON.parse(stdout ? await text(stdout) : "");
}
