import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError, isHoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { storageFor } from "../storage/registry.ts";
import { destinationDtos, nameTaken } from "./find-destination.ts";
import type { DestinationDto } from "./schema.ts";
import { createDestinationInput } from "./schema.ts";

/**
 * Adds a destination after writing, reading back and deleting a small object there. Throws `invalid` with the
 * reason when that fails, `conflict` when the name or the folder is taken.
 */
export async function createDestination(
  ctx: Ctx,
  input: z.input<typeof createDestinationInput>,
): Promise<DestinationDto> {
  requirePermission(ctx, "destination.write");
  const { name, kind, config } = createDestinationInput.parse(input);
  await refuseTaken(ctx, name, config.folder);
  const install = await ctx.db.install.findFirstOrThrow();
  const id = newId();
  const { freeBytes } = await tryOut({ name, kind, config, installId: install.id });
  await ctx.db.$transaction(async (tx) => {
    if (await tx.destination.findUnique({ where: { name } })) throw nameTaken(name);
    const now = ctx.clock.now();
    await tx.destination.create({
      data: {
        id,
        name,
        kind,
        config,
        checkedAt: now,
        freeBytes: freeBytes === null ? null : BigInt(freeBytes),
        createdAt: now,
      },
    });
    await emitAudit(tx, ctx, {
      action: "destination.create",
      object: { kind: "destination", id, name },
      after: { kind, config },
    });
    await emitEvent(tx, "settings", id);
  });
  const [made] = await destinationDtos(ctx, id);
  if (!made) throw new HoldfastError("not_found", `There is no destination "${name}" any more.`);
  return made;
}

async function refuseTaken(ctx: Ctx, name: string, folder: string): Promise<void> {
  const others = await ctx.db.destination.findMany({
    select: { name: true, config: true, archivedAt: true },
  });
  if (others.some((other) => other.name === name)) throw nameTaken(name);
  const same = others.find(
    (other) => !other.archivedAt && (other.config as { folder?: unknown } | null)?.folder === folder,
  );
  if (!same) return;
  throw new HoldfastError("conflict", `${folder} is the folder of the destination "${same.name}".`, {
    remedy: "Two copies in one place are one copy: choose another folder, on another disk.",
    fields: { "config.folder": "is taken" },
  });
}

async function tryOut(spec: Parameters<typeof storageFor>[0]): Promise<{ freeBytes: number | null }> {
  try {
    const storage = storageFor(spec);
    await storage.init();
    return await storage.test();
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    throw new HoldfastError("invalid", error.message, {
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      fields: { "config.folder": error.message },
      cause: error,
    });
  }
}
