import type { Ctx } from "../../context.ts";
import type { Tx } from "../../db/client.ts";
import { destinationSpec } from "../../destinations/destination-spec.ts";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import { storageFor } from "../../storage/registry.ts";
import type { Storage } from "../../storage/storage.ts";

/**
 * Removes what an unfinished backup left at its destinations: the manifest first, then the rest, then parts of
 * objects. Does nothing for a finished backup. A destination that can't be reached keeps its parts; that is
 * logged. Throws on other faults.
 */
export async function removeUnfinished(
  db: Tx,
  log: Ctx["log"],
  keyring: Keyring,
  backupId: string,
): Promise<void> {
  const backup = await db.backup.findUnique({
    where: { id: backupId },
    include: { copies: { include: { destination: true } } },
  });
  if (!backup || backup.state === "complete" || backup.state === "partial") return;
  const install = await db.install.findFirstOrThrow();
  for (const copy of backup.copies) {
    try {
      const spec = { ...destinationSpec(copy.destination, keyring), installId: install.id };
      await removeFolder(storageFor(spec), copy.path);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      log.warn(
        { backupId, destination: copy.destination.name, why: messageOf(error) },
        "parts of an unfinished backup may be left",
      );
    }
  }
}

async function removeFolder(storage: Storage, path: string): Promise<void> {
  const paths: string[] = [];
  for await (const object of storage.list(path)) paths.push(object.path);
  const isManifest = (one: string) => one.endsWith("/manifest.json");
  for (const one of [...paths.filter(isManifest), ...paths.filter((other) => !isManifest(other))]) {
    await storage.delete(one);
  }
  await storage.sweep(path);
}
