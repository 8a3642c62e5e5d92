import { messageOf } from "../lib/errors.ts";
import type { Logger } from "../lib/logger.ts";
import { sweepLeftovers } from "../lib/sandbox/leftovers.ts";
import { sweepWorkFolders, tempRoot } from "../lib/transfer/work-folder.ts";

/** Removes what processes that are gone have left in the temporary folder. */
export async function sweep(log: Logger): Promise<void> {
  const root = tempRoot(process.env);
  try {
    const workFolders = await sweepWorkFolders(root);
    const { folders: sandboxes } = await sweepLeftovers(root);
    if (workFolders + sandboxes > 0) log.info({ workFolders, sandboxes }, "removed what lost workers left");
  } catch (error) {
    log.warn({ err: messageOf(error) }, "leftovers in the temporary folder could not be removed");
  }
}
