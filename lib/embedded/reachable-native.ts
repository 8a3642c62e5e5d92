import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, rename, rm } from "node:fs/promises";
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
  const key = createHash("sha256").update(nativeDir).digest("hex").slice(0, 12);
  const target = path.join(SYSTEM_FOLDER, "postgres", key);
  if (existsSync(path.join(target, "bin/postgres"))) return target;
  await mkdir(path.dirname(target), { recursive: true });
  await chmod(SYSTEM_FOLDER, 0o755);
  const part = `${target}.${process.pid}.part`;
  await cp(nativeDir, part, { recursive: true, verbatimSymlinks: true });
  await rename(part, target).catch(async (error: NodeJS.ErrnoException) => {
    await rm(part, { recursive: true, force: true });
    // Another process made the same copy first.
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
  return target;
}
