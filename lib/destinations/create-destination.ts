import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { destinationAad } from "../secrets/sealed-columns.ts";
import { destinationDtos, nameTaken } from "./find-destination.ts";
import { isOffHost } from "./off-host.ts";
import { placeOf } from "./place-of.ts";
import type { CreateDestinationInput, DestinationDto, DestinationKind } from "./schema.ts";
import { createDestinationInput } from "./schema.ts";
import { secretOf } from "./secret-of.ts";
import { tryDestination } from "./try-destination.ts";

/** The setting that names the place, for "is taken". */
const PLACE_FIELD: Record<DestinationKind, string> = {
  local: "config.folder",
  s3: "config.bucket",
  sftp: "config.folder",
};

/**
 * Adds a destination after writing, reading back, listing and deleting a small object there; what the credentials
 * can't do beside writing is noted. Throws `invalid` with the reason when nothing can be written, `conflict` when
 * the name or the place is taken.
 */
export async function createDestination(ctx: Ctx, input: CreateDestinationInput): Promise<DestinationDto> {
  requirePermission(ctx, "destination.write");
  const given = createDestinationInput.parse(input);
  const { name, kind, config } = given;
  await refuseTaken(ctx, name, kind, config);
  const install = await ctx.db.install.findFirstOrThrow();
  const id = newId();
  const secret = secretOf(kind, given);
  const createRoot = given.kind === "s3" && given.createBucket === true;
  const spec = { name, kind, config, secret, installId: install.id };
  const { freeBytes, lacks } = await tryDestination(spec, { createRoot });
  const offHost = await isOffHost(kind, config);
  const keyring = await processKeyring();
  await ctx.db.$transaction(async (tx) => {
    if (await tx.destination.findUnique({ where: { name } })) throw nameTaken(name);
    const now = ctx.clock.now();
    await tx.destination.create({
      data: {
        id,
        name,
        kind,
        config,
        secretSealed: secret === undefined ? null : keyring.seal(secret, destinationAad(id)),
        checkedAt: now,
        freeBytes: freeBytes === null ? null : BigInt(freeBytes),
        lacks,
        offHost,
        createdAt: now,
      },
    });
    await emitAudit(tx, ctx, {
      action: "destination.create",
      object: { kind: "destination", id, name },
      after: { kind, config, lacks },
    });
    await emitEvent(tx, "settings", id);
  });
  const [made] = await destinationDtos(ctx, id);
  if (!made) throw new HoldfastError("not_found", `There is no destination "${name}" any more.`);
  return made;
}

async function refuseTaken(
  ctx: Ctx,
  name: string,
  kind: DestinationKind,
  config: Record<string, unknown>,
): Promise<void> {
  const others = await ctx.db.destination.findMany({
    select: { name: true, kind: true, config: true, archivedAt: true },
  });
  if (others.some((other) => other.name === name)) throw nameTaken(name);
  const place = placeOf(kind, config);
  const placeOfRow = (other: (typeof others)[number]) =>
    placeOf(other.kind as DestinationKind, other.config as Record<string, unknown>);
  const same = others.find(
    (other) => !other.archivedAt && other.kind === kind && placeOfRow(other) === place,
  );
  if (!same) return;
  throw new HoldfastError("conflict", `${place} is the place of the destination "${same.name}".`, {
    remedy: "Two copies in one place are one copy: choose another place, on another disk or machine.",
    fields: { [PLACE_FIELD[kind]]: "is taken" },
  });
}
