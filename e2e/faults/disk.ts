import { execFile } from "node:child_process";
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A file system of its own, of so many MiB. */
export interface Disk {
  folder: string;
  /** Whatever would change it waits from now on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  remove(): Promise<void>;
}

/** Mounts an ext4 image; only root may. */
export async function makeDisk(root: string, mebibytes: number): Promise<Disk> {
  const [image, folder] = [path.join(root, "disk.img"), path.join(root, "disk")];
  await writeFile(image, "");
  await truncate(image, mebibytes * 1024 ** 2);
  await run("mkfs.ext4", ["-q", "-F", "-E", "nodiscard", image]);
  await mkdir(folder);
  await run("mount", ["-o", "loop", image, folder]);
  let frozen = false;
  return {
    folder,
    async freeze() {
      await run("fsfreeze", ["--freeze", folder]);
      frozen = true;
    },
    async thaw() {
      if (!frozen) return;
      frozen = false;
      await run("fsfreeze", ["--unfreeze", folder]);
    },
    async remove() {
      await run("umount", [folder]);
      await rm(folder, { recursive: true });
      await rm(image);
    },
  };
}
