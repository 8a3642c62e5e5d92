import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import type { Destination } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";
import { isId } from "../ids.ts";
import { s3ConfigSchema, s3Warnings } from "../storage/s3/s3-schema.ts";
import { placeOf } from "./place-of.ts";
import type { DestinationDto } from "./schema.ts";
import { destinationSchema } from "./schema.ts";

/** The destination of this name or id; throws `not_found`. The caller has checked the permission. */
export async function findDestination(tx: Tx, nameOrId: string): Promise<Destination> {
  const found = await tx.destination.findUnique({
    where: isId(nameOrId) ? { id: nameOrId } : { name: nameOrId },
  });
  if (found) return found;
  throw new HoldfastError("not_found", `There is no destination "${nameOrId.slice(0, 80)}".`, {
    remedy: "Look under Settings, Destinations for its name.",
  });
}

/** The destinations with what lies there, by name; archived ones last. */
export async function destinationDtos(ctx: Pick<Ctx, "db">, id?: string): Promise<DestinationDto[]> {
  const rows = await ctx.db.destination.findMany({
    ...(id ? { where: { id } } : {}),
    orderBy: { name: "asc" },
  });
  const used = await ctx.db.copy.groupBy({
    by: ["destinationId"],
    where: { state: { in: ["stored", "altered"] }, ...(id ? { destinationId: id } : {}) },
    _count: true,
    _sum: { sizeBytes: true },
  });
  const usedBy = new Map(used.map((group) => [group.destinationId, group]));
  const items = rows.map((row) => ({
    id: row.id,
    name: row.name,
    ...factsOf(row),
    copies: usedBy.get(row.id)?._count ?? 0,
    usedBytes: Number(usedBy.get(row.id)?._sum.sizeBytes ?? 0n),
    freeBytes: row.freeBytes === null ? null : Number(row.freeBytes),
    checkedAt: row.checkedAt?.toISOString() ?? null,
    checkError: row.checkError,
    archivedAt: row.archivedAt?.toISOString() ?? null,
  }));
  return [...items.filter((one) => !one.archivedAt), ...items.filter((one) => one.archivedAt)];
}

function factsOf(
  row: Destination,
): Pick<DestinationDto, "kind" | "config" | "place" | "offHost" | "lacks" | "warnings"> {
  const { kind, config, lacks } = destinationSchema
    .pick({ kind: true, config: true, lacks: true })
    .parse(row);
  const s3 = kind === "s3" ? s3ConfigSchema.safeParse(config).data : undefined;
  return {
    kind,
    config,
    place: placeOf(kind, config),
    offHost: row.offHost,
    lacks,
    warnings: s3 ? s3Warnings(s3) : [],
  };
}

export function nameTaken(name: string): HoldfastError {
  return new HoldfastError("conflict", `There is a destination "${name}" already.`, {
    remedy: "Choose another name.",
    fields: { name: "is taken" },
  });
}
