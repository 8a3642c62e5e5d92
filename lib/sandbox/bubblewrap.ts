import { existsSync, lstatSync, readlinkSync, realpathSync } from "node:fs";
import path from "node:path";
import type { SandboxLimits } from "./limits.ts";
import type { SandboxUser } from "./sandbox-user.ts";

/** Where things are inside a sandbox, whatever their place on the host. */
export const INSIDE = { folder: "/sandbox", socket: "/socket", programs: "/programs" } as const;

/** Descriptors of the spawned bwrap. */
export const INFO_FD = 3;
export const SECCOMP_FD = 4;
/** Descriptor of the bytes that a caller sends in; see IsolatedRun.channel. */
export const BODY_FD = 5;

export interface Tools {
  bwrap: string;
  setpriv: string;
  prlimit: string;
  /** Makes the kernel end the sandbox first when memory runs out. */
  choom: string | null;
}

export interface BubblewrapRequest {
  tools: Tools;
  /** Null: an ordinary user, who needs a user namespace. */
  user: SandboxUser | null;
  /** The writable folders: its own, seen as /sandbox, and that of its socket, seen as /socket. */
  folder: string;
  socketDir: string | null;
  /** Folder with passwd and group for the sandbox's uid, seen as /etc. */
  etc: string;
  /** Programs seen read-only at their own path (system packages) or below /programs. */
  programs: { from: string; to: string }[];
  /** Never visible, even where a folder above is. */
  hidden: string[];
  limits: SandboxLimits;
  seccomp: boolean;
  /** Whether a shell is visible; no other program of the host ever is. */
  shell: boolean;
  env: Record<string, string>;
  command: string[];
}

/** Libraries and read-only data that servers need; nothing of it is anybody's data. */
const SYSTEM_FOLDERS = ["/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64"];
const SHARED_DATA = [
  "postgresql",
  "zoneinfo",
  "locale",
  "i18n",
  "icu",
  "proj",
  "gdal",
  "hunspell",
  "myspell",
];
/** initdb calls these two; a running server needs neither, and COPY … PROGRAM then has nothing to run. */
const SHELL = ["sh", "locale"];

/**
 * Arguments of bwrap for one program: own process, network, IPC, host-name and mount namespaces, a root folder
 * built from nothing, no capabilities, no new privileges, limits, end with the parent. Without /proc and /sys.
 */
export function bubblewrapArguments(request: BubblewrapRequest): string[] {
  const { tools, user, limits } = request;
  const args = ["--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-net"];
  // The host's name stays: in a container that is all right with namespaces, setting another is still refused.
  args.push("--unshare-uts", "--unshare-cgroup-try", "--info-fd", String(INFO_FD));
  if (request.seccomp) args.push("--seccomp", String(SECCOMP_FD));
  if (!user) args.push("--unshare-user", "--cap-drop", "ALL");
  args.push("--clearenv", "--setenv", "PATH", "/usr/bin", "--setenv", "HOME", INSIDE.folder);
  for (const [name, value] of Object.entries(request.env)) args.push("--setenv", name, value);

  const made = new Set<string>();
  // Folders that bwrap makes on the way would be readable by root only.
  const folder = (at: string) => {
    if (at === "/" || made.has(at)) return;
    folder(path.dirname(at));
    made.add(at);
    args.push("--perms", "0755", "--dir", at);
  };
  const show = (from: string, to: string) => {
    folder(path.dirname(to));
    args.push("--ro-bind", from, to);
  };
  const visible: string[] = [];
  for (const at of SYSTEM_FOLDERS.filter((candidate) => existsSync(candidate))) {
    if (lstatSync(at).isSymbolicLink()) {
      args.push("--symlink", readlinkSync(at), at);
    } else {
      show(at, at);
      visible.push(at);
    }
  }
  for (const name of SHARED_DATA) {
    const at = path.join("/usr/share", name);
    if (!existsSync(at)) continue;
    show(at, at);
    visible.push(at);
  }
  folder("/usr/bin");
  for (const name of request.shell ? SHELL : []) {
    const at = ["/usr/bin", "/bin"].map((bin) => path.join(bin, name)).find((file) => existsSync(file));
    if (at) args.push("--ro-bind", realpathSync(at), path.join("/usr/bin", name));
  }
  args.push("--symlink", "usr/bin", "/bin");
  args.push("--ro-bind", realpathSync(tools.setpriv), "/usr/bin/setpriv");
  args.push("--ro-bind", realpathSync(tools.prlimit), "/usr/bin/prlimit");
  for (const { from, to } of request.programs) {
    if (!visible.some((at) => isWithin(to, at))) show(from, to);
  }
  args.push("--ro-bind", request.etc, "/etc");
  for (const hidden of request.hidden) {
    if (visible.some((at) => isWithin(hidden, at)) && existsSync(hidden)) args.push("--tmpfs", hidden);
  }
  args.push(
    "--dev",
    "/dev",
    "--perms",
    "1777",
    "--size",
    String(limits.sharedMemoryBytes),
    "--tmpfs",
    "/dev/shm",
  );
  args.push("--bind", request.folder, INSIDE.folder, "--chdir", INSIDE.folder);
  if (request.socketDir) args.push("--bind", request.socketDir, INSIDE.socket);
  args.push("--remount-ro", "/", "--");
  args.push(...dropPrivileges("/usr/bin/setpriv", user));
  args.push(...limitResources("/usr/bin/prlimit", limits, true), ...request.command);
  return tools.choom ? [tools.choom, "-n", "1000", "--", tools.bwrap, ...args] : [tools.bwrap, ...args];
}

/** setpriv(1): the sandbox's uid, no groups, no capabilities, no way to get any. */
export function dropPrivileges(setpriv: string, user: SandboxUser | null, parentDeath = false): string[] {
  const args = [setpriv, "--no-new-privs", "--inh-caps=-all"];
  if (user) {
    args.push(`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", "--bounding-set=-all");
  }
  if (parentDeath) args.push("--pdeathsig", "KILL");
  return [...args, "--"];
}

/** prlimit(1). The number of processes can be limited only where the uid has no others on this machine. */
export function limitResources(prlimit: string, limits: SandboxLimits, processes: boolean): string[] {
  const args = [prlimit, `--as=${limits.memoryBytes}`, `--fsize=${limits.fileBytes}`, "--core=0"];
  if (processes) args.push(`--nproc=${limits.processes}`);
  return [...args, "--"];
}

/** Whether `inner` is `outer` or lies below it. */
export function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner);
  return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative));
}
