import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ServerUser } from "../embedded/postgres-server.ts";
import { canReach } from "../embedded/postgres-server.ts";
import { SYSTEM_FOLDER } from "../embedded/reachable-native.ts";
import { HoldfastError } from "../errors.ts";
import { ROOT } from "../root.ts";

export interface DataFolder {
  path: string;
  /** Why it is not where one would look first, for the console. */
  note: string | null;
}

/** The nearest folder on the way to `target` that is already there. */
function nearestExisting(target: string): string {
  let at = target;
  while (!existsSync(at)) at = path.dirname(at);
  return at;
}

/**
 * Where the data lies: HOLDFAST_DATA (relative to the working folder), else `data` in the clone, else, as root
 * with a clone that the database server's own user cannot reach, /var/lib/holdfast. Throws `invalid` when a folder
 * that was asked for is out of that user's reach.
 */
export function locateDataFolder(asked: string | undefined, user: ServerUser | null): DataFolder {
  const target = asked ? path.resolve(asked) : path.join(ROOT, "data");
  // Our own folder lets the server's user through, see prepareDataFolder; what counts is the way to it.
  const way = nearestExisting(path.dirname(target));
  if (canReach(user, way)) return { path: target, note: null };
  if (!asked) {
    return {
      path: SYSTEM_FOLDER,
      note: `The data goes to ${SYSTEM_FOLDER}, because the database server's user (postgres) cannot look into ${way}; HOLDFAST_DATA chooses another folder.`,
    };
  }
  throw new HoldfastError(
    "invalid",
    `HOLDFAST_DATA: the database server's user (postgres) cannot look into ${way}, where ${target} would be.`,
    { remedy: `Choose another folder, or run: chmod o+x ${way}` },
  );
}

/**
 * Makes the folder, closed to everybody else; as root it lets the server's user through to `pg` (mode 0710, that
 * user's group). Throws `invalid` with the command that helps when it cannot be written.
 */
export function prepareDataFolder(folder: string, user: ServerUser | null): void {
  const probe = path.join(folder, `.probe-${process.pid}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(probe, "");
    rmSync(probe);
    if (folder === SYSTEM_FOLDER) chmodSync(folder, 0o711);
    else if (user) {
      chownSync(folder, 0, user.gid);
      chmodSync(folder, 0o710);
    } else chmodSync(folder, 0o700);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new HoldfastError("invalid", `The data folder ${folder} cannot be written (${explain(code)}).`, {
      remedy: remedy(folder, code),
      cause: error,
    });
  }
}

function explain(code: string): string {
  const known: Record<string, string> = {
    EACCES: "permission denied",
    EPERM: "it belongs to another user",
    EROFS: "the file system is read-only",
    ENOSPC: "the disk is full",
    ENOTDIR: "a file is in the way",
    EEXIST: "a file is in the way",
  };
  return known[code] ?? code;
}

function remedy(folder: string, code: string): string {
  if (code === "EACCES" || code === "EPERM") {
    const at = nearestExisting(folder);
    const owner = statSync(at).uid === 0 ? "root" : "another user";
    return `${at} belongs to ${owner}; run: sudo chown -R "$(id -un)" ${at} (or choose another folder: HOLDFAST_DATA=~/holdfast npm start)`;
  }
  return "Choose another folder: HOLDFAST_DATA=~/holdfast npm start";
}
