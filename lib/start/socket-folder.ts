import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ServerUser } from "../embedded/postgres-server.ts";
import { HoldfastError } from "../errors.ts";

/**
 * Private folder for the embedded server's socket: short, because a socket's path may have no more than about
 * 100 characters and a data folder may; always the same for one data folder. Throws `refused` when somebody
 * else has put something there.
 */
export function socketFolder(dataFolder: string, user: ServerUser | null): string {
  const key = createHash("sha256").update(dataFolder).digest("hex").slice(0, 10);
  const own = process.getuid?.() ?? 0;
  const base = own === 0 && process.platform === "linux" ? "/run" : tmpdir();
  const folder = path.join(base, `holdfast-${own}-${key}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const found = lstatSync(folder);
  const owners = [own, user?.uid ?? own];
  if (!found.isDirectory() || !owners.includes(found.uid) || (found.mode & 0o077) !== 0) {
    throw new HoldfastError("refused", `${folder}, which the database server's socket needs, is not ours.`, {
      remedy: `Look who made it and remove it: ls -ld ${folder}`,
    });
  }
  return folder;
}
