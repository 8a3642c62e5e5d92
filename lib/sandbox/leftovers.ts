import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { endProcess, isRunning, processSpace } from "./process-identity.ts";
import { OWNER_FILE, RENEW_MS, removeSandboxFolder, sandboxRoot } from "./sandbox-folder.ts";

const identity = z.object({ pid: z.number().int().positive(), startTime: z.string() });
const ownerSchema = z.object({
  space: z.string(),
  owner: identity,
  server: identity.nullable(),
  socketDir: z.string(),
});

/** A mark this old has no owner, wherever that ran; one without content gets that long to be written. */
const STALE_MS = 10 * RENEW_MS;
const UNWRITTEN_MS = 10_000;

export interface Swept {
  folders: number;
  processes: number;
}

/**
 * Removes sandboxes whose owner process is gone: servers that outlived it are ended, folders removed. Those of
 * live owners stay, also of owners on other machines or in other containers that share the folder.
 * @param tempRoot the folder that work folders are made in.
 */
export async function sweepLeftovers(tempRoot: string): Promise<Swept> {
  const swept: Swept = { folders: 0, processes: 0 };
  const parent = sandboxRoot(tempRoot);
  const here = await processSpace();
  for (const name of await readdir(parent).catch(() => [])) {
    const root = path.join(parent, name);
    const file = path.join(root, OWNER_FILE);
    const age = await ageOf(file, root);
    // Another sweep removed it meanwhile.
    if (age === null) continue;
    const text = await readFile(file, "utf8").catch(() => null);
    const record = text === null ? null : parseOwner(text);
    if (!record) {
      if (age < UNWRITTEN_MS) continue;
      await removeSandboxFolder(root, root);
      swept.folders += 1;
      continue;
    }
    if (record.space === here ? await isRunning(record.owner) : age < STALE_MS) continue;
    if (record.space === here && record.server && (await endProcess(record.server))) swept.processes += 1;
    await removeSandboxFolder(root, record.socketDir);
    swept.folders += 1;
  }
  return swept;
}

async function ageOf(file: string, folder: string): Promise<number | null> {
  const found = await stat(file).catch(() => stat(folder).catch(() => null));
  return found ? Date.now() - found.mtimeMs : null;
}

function parseOwner(text: string): z.infer<typeof ownerSchema> | null {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
