import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { isHoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { type StorageSpec, storageFor } from "../storage/registry.ts";
import { reasonOf } from "../transfer/transfer-fault.ts";
import { destinationSpec } from "./destination-spec.ts";
import { findDestination } from "./find-destination.ts";
import { isOffHost } from "./off-host.ts";
import { prepareDestination } from "./prepare-destination.ts";
import type { DestinationKind, DestinationTest } from "./schema.ts";

/** Writes, reads back, lists and deletes a small object there, and records how it went. */
export async function testDestination(ctx: Ctx, nameOrId: string): Promise<DestinationTest> {
  requirePermission(ctx, "destination.write");
  const row = await findDestination(ctx.db, nameOrId);
  const keyring = await processKeyring();
  await prepareDestination(ctx, keyring, row.id, (work) => ctx.db.$transaction(work));
  const install = await ctx.db.install.findFirstOrThrow();
  const result = await tryOut({ ...destinationSpec(row, keyring), installId: install.id });
  const offHost = await isOffHost(row.kind as DestinationKind, row.config as Record<string, unknown>);
  await ctx.db.$transaction(async (tx) => {
    await tx.destination.update({
      where: { id: row.id },
      data: {
        checkedAt: ctx.clock.now(),
        checkError: result.ok ? null : result.message,
        ...(result.freeBytes === null ? {} : { freeBytes: BigInt(result.freeBytes) }),
        ...(result.ok ? { lacks: result.lacks, offHost } : {}),
      },
    });
    await emitAudit(tx, ctx, {
      action: "destination.test",
      object: { kind: "destination", id: row.id, name: row.name },
      after: { ok: result.ok, message: result.message, lacks: result.lacks },
    });
    await emitEvent(tx, "settings", row.id);
  });
  return result;
}

async function tryOut(spec: StorageSpec): Promise<DestinationTest> {
  try {
    const { freeBytes, lacks } = await storageFor(spec).test();
    const message =
      lacks.length === 0
        ? "Written, read back, listed and deleted."
        : `Written; its credentials can't ${lacks.join(" or ")}.`;
    return { ok: true, message, remedy: null, freeBytes, lacks };
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return { ok: false, message: reasonOf(error), remedy: error.remedy ?? null, freeBytes: null, lacks: [] };
  }
}
