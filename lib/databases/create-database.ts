import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Prisma } from "../db/generated/client.ts";
import { engineFor } from "../engines/registry.ts";
import { findEnvironment } from "../environments/find-environment.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { newId } from "../ids.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { databaseAad } from "../secrets/sealed-columns.ts";
import { getDatabase } from "./get-database.ts";
import { namesOwnDatabase, ownDatabaseRefusal } from "./own-database.ts";
import { defaultApplication, lockRegistrations, requireFreePlace } from "./place.ts";
import { requireRole } from "./require-role.ts";
import { resolveAccess } from "./resolve-access.ts";
import type { CreateDatabaseInput, DatabaseDto } from "./schema.ts";
import { createDatabaseInput } from "./schema.ts";
import { startPreflight } from "./start-preflight.ts";

/**
 * Registers a database and has a worker look at it (preflight). Throws `invalid` for a connection that can't be
 * used, `conflict` when name, place or database is taken, `refused` for Holdfast's own.
 */
export async function createDatabase(ctx: Ctx, input: CreateDatabaseInput): Promise<DatabaseDto> {
  requireRole(ctx, "database.write");
  const { url, connection: parts, password, ...given } = createDatabaseInput.parse(input);
  const application = given.application ?? defaultApplication(given.name, given.environment);
  requirePermission(ctx, "database.write", { environment: given.environment, application });
  const engine = engineFor(given.engine);
  const access = await resolveAccess(engine, { url, connection: parts, password });
  if (!access) throw noConnection();
  if (namesOwnDatabase(engine, access.connection)) throw ownDatabaseRefusal();
  const keyring = await processKeyring();
  const id = newId();
  await ctx.db.$transaction(async (tx) => {
    await lockRegistrations(tx);
    const environment = await findEnvironment(tx, given.environment);
    const { connection } = access;
    await requireFreePlace(tx, { ...given, id, application, environment, connection });
    const { environment: _name, ...columns } = given;
    await tx.database.create({
      data: {
        ...columns,
        id,
        application,
        environmentId: environment.id,
        owner: given.owner ?? null,
        note: given.note ?? null,
        connection: connection as Prisma.InputJsonObject,
        secretSealed: access.password === undefined ? null : keyring.seal(access.password, databaseAad(id)),
        createdAt: ctx.clock.now(),
      },
    });
    await emitAudit(tx, ctx, {
      action: "database.create",
      object: { kind: "database", id, name: given.name },
      after: { ...given, application, connection, signsIn: access.password !== undefined },
    });
    await emitEvent(tx, "databases", id);
    await emitEvent(tx, "overview");
    await startPreflight(tx, ctx, { id, name: given.name, pool: given.pool }, "chain");
  });
  return await getDatabase(ctx, id);
}

function noConnection(): HoldfastError {
  return new HoldfastError("invalid", "The connection is missing.", {
    remedy: "Give a URL, or host, database and user.",
    fields: { url: "Give a URL, or the parts of the connection." },
  });
}
