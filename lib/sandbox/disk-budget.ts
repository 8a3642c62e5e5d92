import { lstat, readdir, statfs } from "node:fs/promises";
import path from "node:path";

/** Room that is left alone on the file system of a sandbox: the host needs some to go on. */
export const RESERVE_BYTES = 256 * 1024 ** 2;

/** Bytes that the files below a folder take on disk. Links are not followed; what vanishes meanwhile counts 0. */
export async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  const open = [folder];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const here = at;
    const entries = await readdir(here, { withFileTypes: true }).catch(() => []);
    const sizes = await Promise.all(
      entries.map(async (entry) => {
        const file = path.join(here, entry.name);
        if (entry.isDirectory()) open.push(file);
        const found = await lstat(file).catch(() => null);
        // st_blocks counts units of 512 bytes (stat(2)): sparse files take only what is written.
        return found ? found.blocks * 512 : 0;
      }),
    );
    for (const size of sizes) total += size;
  }
  return total;
}

/**
 * Measures the folders again and again (at most a tenth of the time) and calls `exceeded` once, with a sentence,
 * when they hold more than the budget or the file system runs full. Returns what stops it.
 */
export function watchDisk(
  folders: string[],
  budgetBytes: number,
  exceeded: (reason: string) => void,
  everyMs = 500,
): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const measure = async () => {
    const started = performance.now();
    const used = (await Promise.all(folders.map(folderBytes))).reduce((sum, bytes) => sum + bytes, 0);
    const free = await Promise.all(
      folders.map(async (folder) => {
        const system = await statfs(folder).catch(() => null);
        return system ? system.bavail * system.bsize : Number.POSITIVE_INFINITY;
      }),
    );
    if (stopped) return;
    if (used > budgetBytes) {
      stopped = true;
      exceeded(`it took ${megabytes(used)} of disk, and its budget is ${megabytes(budgetBytes)}`);
    } else if (Math.min(...free) < RESERVE_BYTES) {
      stopped = true;
      exceeded(`the disk below it has only ${megabytes(Math.min(...free))} left`);
    } else {
      timer = setTimeout(measure, Math.max(everyMs, (performance.now() - started) * 10));
      timer.unref();
    }
  };
  void measure();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}
