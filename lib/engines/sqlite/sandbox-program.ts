import { chmod, copyFile, cp, mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { canReach } from "../../embedded/postgres-server.ts";
import { HoldfastError } from "../../errors.ts";
import { ROOT } from "../../root.ts";
import { INSIDE } from "../../sandbox/bubblewrap.ts";
import type { SandboxFolder } from "../../sandbox/sandbox-folder.ts";

/** All of the project that sandbox-child.ts imports, and the file that says how. */
const SOURCES = ["package.json", "lib/errors.ts", "lib/engines/sqlite"];
const CHILD = "lib/engines/sqlite/sandbox-child.ts";
const FLAGS = [
  "--no-warnings",
  "--max-old-space-size=256",
  "--max-semi-space-size=4",
  "--single-threaded-gc",
];

export interface SandboxProgram {
  /** What a sandbox with a root of its own must be shown. */
  programs: { from: string; to: string }[];
  command: string[];
}

/** The program as it is seen in a root of its own. */
export function programInside(id: string, child = CHILD): SandboxProgram {
  const node = path.join(INSIDE.programs, "node");
  return {
    programs: [
      { from: process.execPath, to: node },
      ...SOURCES.map((at) => ({ from: path.join(ROOT, at), to: path.join(INSIDE.programs, at) })),
    ],
    command: [node, ...FLAGS, path.join(INSIDE.programs, child), `holdfast-${id}`],
  };
}

/**
 * The program on the host, for the folder's user: in its place, or a copy (of 120 MB) in the sandbox's folder where
 * that user can't look. Throws `unavailable` when the folder itself is out of reach.
 */
export async function programOnHost(folder: SandboxFolder, child = CHILD): Promise<SandboxProgram> {
  const { user, root, box, id } = folder;
  if (!canReach(user, box)) {
    throw new HoldfastError("unavailable", `The sandbox's user cannot reach ${box}.`, {
      remedy: "Set HOLDFAST_TEMP to a folder that every user may pass through, such as /var/tmp.",
    });
  }
  let from = ROOT;
  let node = process.execPath;
  if (![node, path.join(ROOT, path.dirname(CHILD))].every((at) => canReach(user, at))) {
    from = path.join(root, "programs");
    node = path.join(from, "node");
    for (const at of SOURCES) {
      await mkdir(path.dirname(path.join(from, at)), { recursive: true });
      await cp(path.join(ROOT, at), path.join(from, at), { recursive: true });
    }
    await copyFile(process.execPath, node);
    // Whatever the worker's umask is, the sandbox's user reads them.
    const copied = await readdir(from, { recursive: true });
    for (const at of ["", ...copied]) await chmod(path.join(from, at), 0o755);
  }
  return { programs: [], command: [node, ...FLAGS, path.join(from, child), `holdfast-${id}`] };
}
