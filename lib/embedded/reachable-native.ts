import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { ServerUser } from "./postgres-server.ts";
import { canReach } from "./postgres-server.ts";

/** Where copies of programs and data go when the clone lies where the server's user cannot look. */
export const SYSTEM_FOLDER = "/var/lib/holdfast";

/**
 * The same programs at a path that the server's user can reach: the package's own folder, or a copy below
 * /var/lib/holdfast made once (60 MB).
 */
export async function reachableNative(nativeDir: string, user: ServerUser | null): Promise<string> {
  if (canReach(user, path.join(nativeDir, "bin/postgres"))) return nativeDir;
  // The package's version is part of the name: an update of the dependencies must not run the old copy.
  const manifest = await readFile(path.join(path.dirname(nativeDir), "package.json"), "utf8").catch(() => "");
  const key = createHash("sha256").update(`${nativeDir}\n${manifest}`).digest("hex").slice(0, 12);
  const folder = path.join(SYSTEM_FOLDER, "postgres", key);
  const target = path.join(folder, "native");
  if (existsSync(path.join(target, "bin/postgres"))) return target;
  await mkdir(path.dirname(folder), { recursive: true });
  await chmod(SYSTEM_FOLDER, 0o755);
  const part = `${folder}.${process.pid}.part`;
  await cp(nativeDir, path.join(part, "native"), { recursive: true, verbatimSymlinks: true });
  await rename(part, folder).catch(async (error: NodeJS.ErrnoException) => {
    await rm(part, { recursive: true, force: true });
    // Another process made the same copy first.
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
  return target;
}
