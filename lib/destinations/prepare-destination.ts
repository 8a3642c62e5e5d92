import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { storageFor } from "../storage/registry.ts";
import { destinationSpec } from "./destination-spec.ts";

/** A copy that failed was never there: the first backup of all may have ended before its destinations were made. */
const EVER_STORED = ["stored", "missing", "altered", "unreachable", "removing"] as const;

/**
 * Makes a destination's root and marker at its first use, on the machine that uses it, and tries it out. Only one
 * that was never looked at and holds no copy: a folder that is missing later is an unmounted disk, and must not be
 * made anew. What is wrong with it shows when it is written to. `save` is the transaction for what is written down;
 * an operation passes its own, which fails once its claim is lost. The folder is made outside of it, since a slow
 * disk must not hold the claim's row, and making it twice is harmless.
 */
export async function prepareDestination(
  ctx: Ctx,
  keyring: Keyring,
  id: string,
  save: (work: (tx: Tx) => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const row = await ctx.db.destination.findUniqueOrThrow({
    where: { id },
    include: { _count: { select: { copies: { where: { state: { in: [...EVER_STORED] } } } } } },
  });
  if (row.checkedAt !== null || row._count.copies > 0) return;
  const install = await ctx.db.install.findFirstOrThrow();
  const storage = storageFor({ ...destinationSpec(row, keyring), installId: install.id });
  let freeBytes: number | null;
  let lacks: string[];
  try {
    await storage.init();
    ({ freeBytes, lacks } = await storage.test());
  } catch (error) {
    ctx.log.warn({ err: error, destination: row.name }, "a destination could not be prepared");
    return;
  }
  await save((tx) =>
    tx.destination.updateMany({
      where: { id, checkedAt: null },
      data: {
        checkedAt: ctx.clock.now(),
        checkError: null,
        lacks,
        freeBytes: freeBytes === null ? null : BigInt(freeBytes),
      },
    }),
  );
}
