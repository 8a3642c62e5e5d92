import { readdir, readFile, stat } from "node:fs/promises";

export interface FileUser {
  pid: number;
  program: string;
}

/**
 * Other processes that have one of the files open, as far as this user may see (Linux: proc(5), /proc/pid/fd).
 * Elsewhere none can be told, and SQLite's own locks are all there is.
 */
export async function filesInUse(files: string[]): Promise<FileUser[]> {
  const wanted = new Set<string>();
  for (const file of files) {
    const found = await stat(file, { bigint: true }).catch(() => null);
    if (found) wanted.add(`${found.dev}:${found.ino}`);
  }
  if (process.platform !== "linux" || wanted.size === 0) return [];
  const users: FileUser[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!pid || pid === process.pid) continue;
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const found = await stat(`/proc/${pid}/fd/${descriptor}`, { bigint: true }).catch(() => null);
      if (!found || !wanted.has(`${found.dev}:${found.ino}`)) continue;
      const program = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "a program");
      users.push({ pid, program: program.trim() });
      break;
    }
  }
  return users;
}
