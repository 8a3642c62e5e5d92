import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { HoldfastError, messageOf } from "../errors.ts";
import { identify, isRunning, processSpace } from "../sandbox/process-identity.ts";

const PREFIX = "holdfast-work-";
const OWNER_FILE = "owner.json";
const RENEW_MS = 30_000;
/** Of owners that cannot be asked, on other machines: a mark this old has none. */
const STALE_MS = 10 * RENEW_MS;
const UNWRITTEN_MS = 10_000;

const ownerSchema = z.object({
  space: z.string(),
  owner: z.object({ pid: z.number(), startTime: z.string() }),
});

export interface WorkFolder {
  path: string;
  remove(): Promise<void>;
}

/** Folder that work folders are made in: HOLDFAST_TEMP, or the system's. */
export function tempRoot(env: Record<string, string | undefined>): string {
  return path.resolve(env.HOLDFAST_TEMP || tmpdir());
}

/** Throws `unavailable`, saying why, when nothing can be written there: a worker without it could do nothing. */
export async function requireTempRoot(root: string): Promise<void> {
  await rm(await makeFolder(root), { recursive: true });
}

async function makeFolder(root: string): Promise<string> {
  return await mkdtemp(path.join(root, PREFIX)).catch((cause: unknown) => {
    throw new HoldfastError(
      "unavailable",
      `Nothing can be written to the folder for temporary files, ${root}: ${messageOf(cause)}`,
      {
        remedy: "Set HOLDFAST_TEMP to a folder of the worker's user; in a container, mount a volume there.",
        cause,
      },
    );
  });
}

/** A private folder (0700) for one transfer, marked as this process's. Throws as requireTempRoot. */
export async function makeWorkFolder(root: string): Promise<WorkFolder> {
  const folder = await makeFolder(root);
  const mark = path.join(folder, OWNER_FILE);
  const owner = await identify(process.pid);
  await writeFile(mark, JSON.stringify({ space: await processSpace(), owner }), { mode: 0o600 });
  const renew = setInterval(() => {
    const now = new Date();
    utimes(mark, now, now).catch(() => undefined);
  }, RENEW_MS);
  renew.unref();
  return {
    path: folder,
    async remove() {
      clearInterval(renew);
      await removeFolder(folder);
    },
  };
}

/** Removes the work folders of processes that are gone; returns how many there were. */
export async function sweepWorkFolders(root: string): Promise<number> {
  const here = await processSpace();
  let swept = 0;
  for (const name of await readdir(root).catch(() => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = path.join(root, name);
    if (await isOwned(folder, here)) continue;
    await removeFolder(folder);
    swept += 1;
  }
  return swept;
}

async function isOwned(folder: string, here: string): Promise<boolean> {
  const mark = path.join(folder, OWNER_FILE);
  const found = await stat(mark).catch(() => stat(folder).catch(() => null));
  // Somebody else removed it, or it is another user's.
  if (!found || (process.getuid && found.uid !== process.getuid())) return true;
  const age = Date.now() - found.mtimeMs;
  const text = await readFile(mark, "utf8").catch(() => "");
  const parsed = ownerSchema.safeParse(parseJson(text));
  if (!parsed.success) return age < UNWRITTEN_MS;
  return parsed.data.space === here ? await isRunning(parsed.data.owner) : age < STALE_MS;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Processes that just ended may still be seen writing. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}
