import { accessSync, constants } from "node:fs";
import { chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { messageOf } from "../errors.ts";
import { runCommand } from "../process/run-command.ts";
import type { Tools } from "./bubblewrap.ts";
import { defaultLimits } from "./limits.ts";
import type { IsolationMethod } from "./run-isolated.ts";
import { runIsolated } from "./run-isolated.ts";
import { writeAccounts } from "./sandbox-folder.ts";
import type { SandboxUser } from "./sandbox-user.ts";
import { newSandboxUser } from "./sandbox-user.ts";
import { seccompProgram } from "./seccomp.ts";

/** What this host allows, found out by trying. `detail` is recorded with every proof. */
export interface HostIsolation {
  method: IsolationMethod;
  detail: string;
  /** Why there are no namespaces; null where there are. */
  because: string | null;
  /** How to get the stronger isolation; null when it is there. */
  remedy: string | null;
}

const INSTALL = "On Debian or Ubuntu as root: apt-get install -y bubblewrap util-linux";

let probed: Promise<HostIsolation> | undefined;

/** Tries once per process what this host allows, by running a program in it. */
export function probeIsolation(): Promise<HostIsolation> {
  probed ??= probe();
  return probed;
}

/** The weaker isolation: plain process, restore as a role without superuser rights. */
export function roleIsolation(because: string, remedy: string | null = INSTALL): HostIsolation {
  const setpriv = process.platform === "linux" ? findProgram("setpriv") : null;
  const prlimit = process.platform === "linux" ? findProgram("prlimit") : null;
  const uid = process.getuid?.() === 0 ? "a uid of its own" : "the worker's own uid";
  const limits = prlimit ? "limits on memory and files" : "no limits on memory";
  return {
    method: { mode: "role", tools: { setpriv, prlimit } },
    detail: `no namespaces (${because}): ${uid}, ${limits}, unix socket only, restored as a role without superuser rights`,
    because,
    remedy,
  };
}

async function probe(): Promise<HostIsolation> {
  if (process.platform !== "linux") return roleIsolation(`${process.platform} has none`, null);
  const bwrap = findProgram("bwrap");
  const setpriv = findProgram("setpriv");
  const prlimit = findProgram("prlimit");
  if (!bwrap) return roleIsolation("bubblewrap is not installed");
  if (!setpriv || !prlimit) return roleIsolation("util-linux's setpriv and prlimit are not installed");
  const tools: Tools = { bwrap, setpriv, prlimit, choom: findProgram("choom") };
  const refusal = await tryNamespaces(tools);
  if (refusal !== null) {
    return roleIsolation(
      `the host refuses them: ${refusal}`,
      "Allow namespaces: user.max_user_namespaces above 0 and, on Ubuntu, an AppArmor profile for bwrap; in a container, run it with the privilege to make them.",
    );
  }
  const { stdout } = await runCommand({ program: bwrap, args: ["--version"], tempDir: tmpdir() });
  const parts = [
    stdout.trim(),
    process.getuid?.() === 0 ? "a uid of its own" : "a user namespace",
    "no network",
    "own processes",
    "only its own programs and folder visible",
    "no capabilities, no new privileges",
    ...(seccompProgram() ? ["system calls filtered"] : []),
    "limits on memory, processes, files, disk and time",
    "ends with the worker",
  ];
  return { method: { mode: "namespaces", tools }, detail: parts.join("; "), because: null, remedy: null };
}

/** Null when a program ran to its end in a full sandbox, else what stood in the way. */
async function tryNamespaces(tools: Tools): Promise<string | null> {
  const root = await mkdtemp(path.join(tmpdir(), "holdfast-probe-"));
  try {
    const user: SandboxUser | null = await newSandboxUser();
    const folder = path.join(root, "box");
    await mkdir(folder, { mode: 0o700 });
    if (user) await chown(folder, user.uid, user.gid);
    const tried = runIsolated({
      method: { mode: "namespaces", tools },
      user,
      folder,
      socketDir: null,
      etc: await writeAccounts(root, user),
      programs: [],
      hidden: [],
      limits: defaultLimits(),
      shell: true,
      env: {},
      // Writes where it may, and must not be able to where it may not; forks once.
      command: ["/bin/sh", "-c", "echo > /sandbox/a && (exit 7); test $? = 7 && ! (echo > /b) 2>/dev/null"],
    });
    const { code } = await tried.exited;
    return code === 0 ? null : tried.tail() || `exit code ${code}`;
  } catch (error) {
    return messageOf(error);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Full path of a program in PATH or the usual system folders, or null. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
  for (const folder of folders.filter((at) => path.isAbsolute(at))) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not there; the next folder may have it.
    }
  }
  return null;
}
