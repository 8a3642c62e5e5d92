import { setTimeout as delay } from "node:timers/promises";
import { HoldfastError, messageOf } from "../errors.ts";
import { storageFor } from "../storage/registry.ts";
import type { Storage } from "../storage/storage.ts";
import type { RemoveResult, RemoveSpec } from "./schema.ts";

type Folder = RemoveSpec["folders"][number];

/**
 * Removes folders at destinations, all destinations at once. One that can't be reached, or gives no answer in
 * time, keeps what it holds, and says why. Ends in time even if a disk holds its calls for ever: whoever runs this
 * must end the process then.
 */
export async function runRemove(spec: RemoveSpec): Promise<RemoveResult> {
  const byDestination = [...Map.groupBy(spec.folders, ({ destination }) => destination.id).values()];
  const answers = await Promise.all(byDestination.map((folders) => removeAt(folders, spec)));
  return { folders: answers.flat() };
}

async function removeAt(folders: Folder[], spec: RemoveSpec): Promise<RemoveResult["folders"]> {
  const errors = new Map<string, string | null>();
  const silent = `It gave no answer for ${Math.round(spec.limitMs / 1000)} s.`;
  const work = async () => {
    for (const { id, destination, path } of folders) {
      try {
        await removeFolder(storageFor({ ...destination, installId: spec.installId }), path);
        errors.set(id, null);
      } catch (error) {
        errors.set(id, messageOf(error));
      }
    }
  };
  await Promise.race([work(), delay(spec.limitMs)]);
  return folders.map(({ id }) => ({ id, error: errors.has(id) ? (errors.get(id) ?? null) : silent }));
}

/** The manifest first: without one, what is left is no backup. */
async function removeFolder(storage: Storage, folder: string): Promise<void> {
  if (folder === "") throw new HoldfastError("invalid", "A destination is never emptied as a whole.");
  const paths: string[] = [];
  for await (const object of storage.list(folder)) paths.push(object.path);
  const isManifest = (one: string) => one.endsWith("/manifest.json");
  for (const one of [...paths.filter(isManifest), ...paths.filter((other) => !isManifest(other))]) {
    await storage.delete(one);
  }
  await storage.sweep(folder);
}
