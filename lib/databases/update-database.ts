import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Tx } from "../db/client.ts";
import { Prisma } from "../db/generated/client.ts";
import type { Access } from "../engines/engine.ts";
import { engineFor } from "../engines/registry.ts";
import { findEnvironment } from "../environments/find-environment.ts";
import { HoldfastError } from "../errors.ts";
import { emitEvent } from "../events/emit.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { databaseAad } from "../secrets/sealed-columns.ts";
import { findDatabase } from "./find-database.ts";
import { getDatabase } from "./get-database.ts";
import { namesOwnDatabase, ownDatabaseRefusal } from "./own-database.ts";
import { lockRegistrations, requireFreePlace } from "./place.ts";
import { requireRole } from "./require-role.ts";
import { resolveAccess, sameServer } from "./resolve-access.ts";
import type { DatabaseDto } from "./schema.ts";
import { updateDatabaseInput } from "./schema.ts";
import { startPreflight } from "./start-preflight.ts";

type Found = Awaited<ReturnType<typeof findDatabase>>;

/**
 * Changes a registration. Throws `conflict` when somebody changed it since `version`, or when the new name or
 * place is taken. A stored password is not carried over to another server: it has to be given again.
 */
export async function updateDatabase(
  ctx: Ctx,
  nameOrId: string,
  input: z.input<typeof updateDatabaseInput>,
): Promise<DatabaseDto> {
  requireRole(ctx, "database.write");
  const {
    version,
    url,
    connection: parts,
    password,
    environment: environmentName,
    ...columns
  } = updateDatabaseInput.parse(input);
  const before = await findDatabase(ctx, ctx.db, nameOrId, "database.write");
  const { id } = before;
  const application = columns.application ?? before.application;
  requirePermission(ctx, "database.write", {
    environment: environmentName ?? before.environment.name,
    application,
  });
  const access = await newAccess(before, { url, connection: parts, password });
  const connection = access?.connection ?? (before.connection as Record<string, unknown>);
  const keyring = await processKeyring();
  await ctx.db.$transaction(async (tx) => {
    await lockRegistrations(tx);
    const environment = environmentName ? await findEnvironment(tx, environmentName) : before.environment;
    const name = columns.name ?? before.name;
    const pool = columns.pool ?? before.pool;
    const place = { id, name, application, environment, pool, engine: before.engine, connection };
    if (before.archivedAt === null) await requireFreePlace(tx, place);
    if (access) await requireNoRestore(tx, before, access.connection);
    const data = {
      ...defined(columns),
      environmentId: environment.id,
      version: { increment: 1 },
      ...(access ? { connection: connection as Prisma.InputJsonObject, ...UNPROBED } : {}),
      ...(access?.password === undefined
        ? {}
        : { secretSealed: keyring.seal(access.password, databaseAad(id)) }),
    };
    // Conditional on the version that was edited: of two editors the second is told.
    const { count } = await tx.database.updateMany({ where: { id, version }, data });
    if (count === 0) throw editedMeanwhile();
    await emitAudit(tx, ctx, {
      action: "database.update",
      object: { kind: "database", id, name },
      before: auditView(before),
      after: {
        ...auditView({
          ...before,
          ...defined(columns),
          environment: { ...before.environment, ...environment },
        }),
        ...(access ? { connection } : {}),
        ...(access?.password === undefined ? {} : { signsIn: "with a new password" }),
      },
    });
    await emitEvent(tx, "databases", id);
    await emitEvent(tx, "overview");
    if (access && before.archivedAt === null) await startPreflight(tx, ctx, { id, name, pool }, "chain");
  });
  return await getDatabase(ctx, id);
}

/** What was learned from the server that it pointed to before. */
const UNPROBED = {
  serverIdentity: null,
  serverVersion: null,
  sizeBytes: null,
  probedAt: null,
  probeError: null,
  preflight: Prisma.DbNull,
  preflightAt: null,
};

async function newAccess(
  before: Found,
  input: {
    url?: string | undefined;
    connection?: Record<string, unknown> | undefined;
    password?: string | undefined;
  },
): Promise<Access | null> {
  const engine = engineFor(before.engine);
  const stored = before.connection as Record<string, unknown>;
  const given = await resolveAccess(engine, input);
  if (!given) return input.password ? { connection: stored, password: input.password } : null;
  if (namesOwnDatabase(engine, given.connection)) throw ownDatabaseRefusal();
  if (before.secretSealed !== null && given.password === undefined && !sameServer(stored, given.connection)) {
    throw new HoldfastError(
      "invalid",
      "The server or the way to it changed; its password has to be given again.",
      {
        remedy: "Enter the password.",
        fields: { password: "Enter the password again: the stored one is not sent to another server." },
      },
    );
  }
  return given;
}

/** A restore replaces, or tidies up, what the connection named when it was asked for. */
async function requireNoRestore(tx: Tx, before: Found, connection: Record<string, unknown>): Promise<void> {
  const stored = before.connection as Record<string, unknown>;
  if (sameServer(stored, connection) && stored.database === connection.database) return;
  const restore = await tx.operation.findFirst({
    where: {
      databaseId: before.id,
      kind: "backup.restore",
      state: { in: ["queued", "running", "cancelling"] },
    },
    select: { id: true, state: true },
  });
  if (!restore) return;
  throw new HoldfastError("conflict", `A restore there is ${restore.state}: ${restore.id}.`, {
    remedy: `Wait for its end (/operations/${restore.id}), or cancel it there; then change the connection.`,
  });
}

function editedMeanwhile(): HoldfastError {
  return new HoldfastError("conflict", "Somebody else changed this database in the meantime.", {
    remedy: "Reload, look at their change, and make yours again.",
  });
}

function auditView(row: Found): Record<string, unknown> {
  const { name, application, pool, tags, owner, note, connection } = row;
  return { name, application, environment: row.environment.name, pool, tags, owner, note, connection };
}

function defined<T extends object>(columns: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(columns).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
