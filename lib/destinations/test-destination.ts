import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { isHoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { storageFor } from "../storage/registry.ts";
import { reasonOf } from "../transfer/transfer-fault.ts";
import { destinationSpec } from "./destination-spec.ts";
import { findDestination } from "./find-destination.ts";
import { prepareDestination } from "./prepare-destination.ts";
import type { destinationTestSchema } from "./schema.ts";

type Result = z.infer<typeof destinationTestSchema>;

/** Writes, reads back and deletes a small object there, and records how it went. */
export async function testDestination(ctx: Ctx, nameOrId: string): Promise<Result> {
  requirePermission(ctx, "destination.write");
  const row = await findDestination(ctx.db, nameOrId);
  const keyring = await processKeyring();
  await prepareDestination(ctx, keyring, row.id, (work) => ctx.db.$transaction(work));
  const install = await ctx.db.install.findFirstOrThrow();
  const result = await tryOut({ ...destinationSpec(row, keyring), installId: install.id });
  await ctx.db.$transaction(async (tx) => {
    await tx.destination.update({
      where: { id: row.id },
      data: {
        checkedAt: ctx.clock.now(),
        checkError: result.ok ? null : result.message,
        ...(result.freeBytes === null ? {} : { freeBytes: BigInt(result.freeBytes) }),
      },
    });
    await emitAudit(tx, ctx, {
      action: "destination.test",
      object: { kind: "destination", id: row.id, name: row.name },
      after: { ok: result.ok, message: result.message },
    });
    await emitEvent(tx, "settings", row.id);
  });
  return result;
}

async function tryOut(spec: Parameters<typeof storageFor>[0]): Promise<Result> {
  try {
    const { freeBytes } = await storageFor(spec).test();
    return { ok: true, message: "Written, read back and deleted.", freeBytes };
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return { ok: false, message: reasonOf(error), freeBytes: null };
  }
}
