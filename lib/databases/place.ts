import type { Tx } from "../db/client.ts";
import type { EngineKind } from "../db/generated/client.ts";
import { HoldfastError } from "../errors.ts";

/** The application that a name stands for: "shop-production" in production is "shop". */
export function defaultApplication(name: string, environment: string): string {
  const ending = `-${environment}`;
  return name.endsWith(ending) && name.length > ending.length ? name.slice(0, -ending.length) : name;
}

/** Registrations follow one another, so that the checks below hold until the end of the transaction. */
export async function lockRegistrations(tx: Tx): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(7230005)`;
}

export interface Place {
  id: string;
  name: string;
  application: string;
  environment: { id: string; name: string };
  pool: string;
  engine: EngineKind;
  connection: Record<string, unknown>;
}

/**
 * Throws `conflict` when the name is taken, the application has a database in the environment already, or the
 * same database is registered under another name. Archived databases keep their name only.
 */
export async function requireFreePlace(tx: Tx, place: Place): Promise<void> {
  const named = await tx.database.findUnique({ where: { name: place.name } });
  if (named && named.id !== place.id) {
    const archived = named.archivedAt ? " (archived)" : "";
    throw conflict("name", `There is a database "${place.name}"${archived} already.`, "Choose another name.");
  }
  const others = await tx.database.findMany({ where: { archivedAt: null, id: { not: place.id } } });
  const sibling = others.find(
    (other) => other.application === place.application && other.environmentId === place.environment.id,
  );
  if (sibling) {
    throw conflict(
      "application",
      `"${place.application}" has a database in ${place.environment.name} already: ${sibling.name}.`,
      "Give this one another application, or another environment.",
    );
  }
  const twin = others.find(
    (other) =>
      other.engine === place.engine &&
      other.pool === place.pool &&
      addressOf(other.connection) === addressOf(place.connection),
  );
  if (twin) {
    throw conflict(
      "connection",
      `This database is registered already, as ${twin.name}.`,
      "Use that registration.",
    );
  }
}

/** Where a database lies, as text; what differs only in user or TLS is the same. */
function addressOf(connection: unknown): string {
  const parts = connection as Record<string, unknown>;
  const host = typeof parts.host === "string" ? parts.host.toLowerCase() : undefined;
  return JSON.stringify([host, parts.port, parts.database, parts.file]);
}

function conflict(field: string, message: string, remedy: string): HoldfastError {
  return new HoldfastError("conflict", message, { remedy, fields: { [field]: message } });
}
