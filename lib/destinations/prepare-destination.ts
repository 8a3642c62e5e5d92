import type { Ctx } from "../context.ts";
import type { Keyring } from "../secrets/keyring.ts";
import { storageFor } from "../storage/registry.ts";
import { destinationSpec } from "./destination-spec.ts";

/**
 * Makes a destination's root and marker at its first use, on the machine that uses it. Only one that was never
 * looked at and holds no copy: a folder that is missing later is an unmounted disk, and must not be made anew.
 * What is wrong with it shows when it is written to.
 */
export async function prepareDestination(ctx: Ctx, keyring: Keyring, id: string): Promise<void> {
  const row = await ctx.db.destination.findUniqueOrThrow({
    where: { id },
    include: { _count: { select: { copies: { where: { state: { not: "writing" } } } } } },
  });
  if (row.checkedAt !== null || row._count.copies > 0) return;
  const install = await ctx.db.install.findFirstOrThrow();
  const storage = storageFor({ ...destinationSpec(row, keyring), installId: install.id });
  try {
    await storage.init();
  } catch (error) {
    ctx.log.warn({ err: error, destination: row.name }, "a destination could not be prepared");
    return;
  }
  await ctx.db.destination.updateMany({
    where: { id, checkedAt: null },
    data: { checkedAt: ctx.clock.now(), checkError: null },
  });
}
