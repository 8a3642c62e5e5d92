import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/** The programs below are an administrator's, and not in everybody's PATH. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const run = (program: string, args: string[]) =>
  promisify(execFile)(program, args, { env: { ...process.env, PATH } });

/** A file system of its own, of so many MiB. */
export interface Disk {
  folder: string;
  /** Whether freeze does anything. */
  holds: boolean;
  /** Whatever would change it waits from now on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  remove(): Promise<void>;
}

/** Whether file systems can be mounted here: by root, and not in every container. */
export async function mayMount(): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), "hf-mount-"));
  try {
    await mountFull(folder);
    await unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Mounts a disk that takes one MiB. */
export async function mountFull(folder: string): Promise<void> {
  await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
}

export async function unmount(folder: string): Promise<void> {
  await run("umount", [folder]);
}

/** Mounts an ext4 image. Without the right to do so it is a folder like any other, in which nothing waits. */
export async function makeDisk(root: string, mebibytes: number): Promise<Disk> {
  const [image, folder] = [path.join(root, "disk.img"), path.join(root, "disk")];
  await writeFile(image, "");
  await truncate(image, mebibytes * 1024 ** 2);
  await run("mkfs.ext4", ["-q", "-F", "-E", "nodiscard", image]);
  await mkdir(folder);
  const mounted = await run("mount", ["-o", "loop", image, folder]).then(
    () => true,
    () => false,
  );
  let frozen = false;
  return {
    folder,
    holds: mounted,
    async freeze() {
      if (!mounted) return;
      await run("fsfreeze", ["--freeze", folder]);
      frozen = true;
    },
    async thaw() {
      if (!frozen) return;
      frozen = false;
      await run("fsfreeze", ["--unfreeze", folder]);
    },
    async remove() {
      if (mounted) await unmount(folder);
      await rm(folder, { recursive: true });
      await rm(image);
    },
  };
}

/** Nothing in the folder can be changed until the returned function is called: also root is refused. */
export async function denyChanges(folder: string): Promise<() => Promise<void>> {
  if (process.getuid?.() !== 0) {
    await chmod(folder, 0o500);
    return () => chmod(folder, 0o700);
  }
  await run("mount", ["--bind", folder, folder]);
  await run("mount", ["-o", "remount,bind,ro", folder]);
  return () => unmount(folder);
}

/** Whether denyChanges does what it says: an ordinary user is refused by permissions, root by mounts only. */
export async function mayDeny(): Promise<boolean> {
  return process.getuid?.() !== 0 || (await mayMount());
}
