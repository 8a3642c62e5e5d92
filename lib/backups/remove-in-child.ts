import type { Ctx } from "../context.ts";
import { destinationSpec } from "../destinations/destination-spec.ts";
import { messageOf } from "../errors.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { removeResult } from "../transfer/schema.ts";
import { runTransferProcess } from "../transfer/transfer-process.ts";
import { makeWorkFolder, tempRoot } from "../transfer/work-folder.ts";

export interface Folder {
  id: string;
  destinationId: string;
  path: string;
}

/**
 * Removes folders at destinations, in a process of its own, as all work on destinations: a disk that holds its calls
 * must not hold the worker. `limitMs` is the longest wait for one destination. Returns why each folder is still
 * there, by its id; null for those that are gone.
 */
export async function removeInChild(
  ctx: Ctx,
  asked: readonly Folder[],
  limitMs: number,
  signal: AbortSignal = AbortSignal.timeout(2 * limitMs),
): Promise<Map<string, string | null>> {
  const keyring = await processKeyring();
  const install = await ctx.db.install.findFirstOrThrow();
  const ids = asked.map(({ destinationId }) => destinationId);
  const rows = await ctx.db.destination.findMany({ where: { id: { in: ids } } });
  const destinations = new Map(rows.map((row) => [row.id, destinationSpec(row, keyring)]));
  const folders = asked.flatMap(({ id, destinationId, path }) => {
    const destination = destinations.get(destinationId);
    return destination ? [{ id, destination, path }] : [];
  });
  const work = await makeWorkFolder(tempRoot(process.env));
  try {
    const answer = await runTransferProcess(
      { task: "remove", tempDir: work.path, installId: install.id, folders, limitMs },
      {
        signal,
        onLog: (line) => ctx.log.info(line),
        onProgress: () => undefined,
        onStep: () => undefined,
        onSign: () => undefined,
      },
    );
    const { folders: removed } = removeResult.parse(answer);
    return new Map(removed.map(({ id, error }) => [id, error]));
  } catch (error) {
    return new Map(asked.map(({ id }) => [id, messageOf(error)]));
  } finally {
    await work.remove();
  }
}
