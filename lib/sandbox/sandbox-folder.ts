import { randomBytes } from "node:crypto";
import { chmod, chown, lstat, mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { HoldfastError } from "../errors.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { identify, processSpace } from "./process-identity.ts";
import type { SandboxUser } from "./sandbox-user.ts";

/** What the folder says of itself, for those who find it later. */
export interface SandboxOwner {
  /** Host, boot and process namespace that the numbers below belong to. */
  space: string;
  owner: ProcessIdentity;
  /** Process that the sandbox's life hangs on, once it runs. */
  server: ProcessIdentity | null;
  /** Folder of the socket, where it lies elsewhere. */
  socketDir: string;
}

export interface SandboxFolder {
  id: string;
  /** Of the worker; the sandbox sees `box` and `socketDir` only. */
  root: string;
  /** The sandbox's own, writable. */
  box: string;
  etc: string;
  /** Holds the unix socket; its path is short enough for one. Writable too. */
  socketDir: string;
  user: SandboxUser | null;
  /** Records the running server for those who clean up after a lost worker. */
  claim(pid: number): Promise<void>;
  remove(): Promise<void>;
}

export const OWNER_FILE = "owner.json";
/** A live owner renews its mark this often; see leftovers.ts. */
export const RENEW_MS = 30_000;
/** sun_path of unix(7) on Linux is 108 bytes, on macOS 104. */
const LONGEST_SOCKET = 103;

/** Folder of all sandboxes whose work folders lie in `tempRoot`. */
export function sandboxRoot(tempRoot: string): string {
  return path.join(tempRoot, `holdfast-boxes-${process.getuid?.() ?? 0}`);
}

/** Makes a private folder for one sandbox beside the work folder; `socketName` is ".s.PGSQL.5432" or such. */
export async function makeSandboxFolder(
  tempRoot: string,
  user: SandboxUser | null,
  socketName: string,
): Promise<SandboxFolder> {
  const parent = sandboxRoot(tempRoot);
  await mkdir(parent, { recursive: true });
  await assertOwn(parent);
  await chmod(parent, 0o711);
  const id = randomBytes(4).toString("hex");
  const root = path.join(parent, id);
  await mkdir(root);
  await chmod(root, 0o711);
  const box = path.join(root, "box");
  let socketDir = path.join(root, "s");
  const owner = await identify(process.pid);
  if (!owner) throw new Error("the system does not tell this process's start time");
  const record: SandboxOwner = { space: await processSpace(), owner, server: null, socketDir };
  const save = async () => {
    const file = path.join(root, OWNER_FILE);
    await writeFile(`${file}.part`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${file}.part`, file);
  };
  await save();
  await mkdir(box, { mode: 0o700 });
  if (path.join(socketDir, socketName).length > LONGEST_SOCKET) {
    // The place is too deep for a socket.
    const short = await mkdtemp(path.join(shortTemp(), "hf-"));
    await chmod(short, 0o711);
    socketDir = path.join(short, "s");
    record.socketDir = short;
    await save();
  }
  await mkdir(socketDir, { mode: 0o700 });
  if (user) for (const at of [box, socketDir]) await chown(at, user.uid, user.gid);
  const etc = await writeAccounts(root, user);
  const renew = setInterval(() => {
    const now = new Date();
    utimes(path.join(root, OWNER_FILE), now, now).catch(() => undefined);
  }, RENEW_MS);
  renew.unref();
  return {
    id,
    root,
    box,
    etc,
    socketDir,
    user,
    async claim(pid) {
      record.server = await identify(pid);
      await save();
    },
    async remove() {
      clearInterval(renew);
      await removeSandboxFolder(root, record.socketDir);
    },
  };
}

/** Removes a sandbox's folders; processes that just ended may still be seen writing. */
export async function removeSandboxFolder(root: string, socketDir: string): Promise<void> {
  const gone = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 } as const;
  if (!socketDir.startsWith(root)) await rm(socketDir, gone);
  await rm(root, gone);
}

/** A passwd and a group file that hold the sandbox's user alone: initdb and postgres look themselves up. */
export async function writeAccounts(root: string, user: SandboxUser | null): Promise<string> {
  const uid = user?.uid ?? process.getuid?.() ?? 0;
  const gid = user?.gid ?? process.getgid?.() ?? 0;
  const etc = path.join(root, "etc");
  await mkdir(etc);
  await writeFile(path.join(etc, "passwd"), `sandbox:x:${uid}:${gid}::/sandbox:/bin/false\n`);
  await writeFile(path.join(etc, "group"), `sandbox:x:${gid}:\n`);
  // Whatever the worker's umask is, the sandbox reads them.
  for (const at of [etc, path.join(etc, "passwd"), path.join(etc, "group")]) {
    await chmod(at, at === etc ? 0o755 : 0o644);
  }
  return etc;
}

function shortTemp(): string {
  return tmpdir().length < 60 ? tmpdir() : "/tmp";
}

async function assertOwn(folder: string): Promise<void> {
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid)) return;
  throw new HoldfastError("unavailable", `${folder} belongs to someone else; no sandbox can be made there.`, {
    remedy: `Remove ${folder}, or set HOLDFAST_TEMP to a folder of your own.`,
  });
}
