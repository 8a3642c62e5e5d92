import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { emitAudit } from "../audit/emit.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Ctx } from "../context.ts";
import type { Access } from "../engines/engine.ts";
import { engineFor } from "../engines/registry.ts";
import { HoldfastError } from "../errors.ts";
import { newId } from "../ids.ts";
import { cancelIn } from "../operations/cancel-request.ts";
import { finalStates } from "../operations/schema.ts";
import { startOperation } from "../operations/start-operation.ts";
import { processKeyring } from "../secrets/process-keyring.ts";
import { databaseAad } from "../secrets/sealed-columns.ts";
import { findDatabase } from "./find-database.ts";
import { testConnectionOperation, testPasswordAad } from "./operations/test-connection.ts";
import { wipePassword } from "./operations/wipe-password.ts";
import { namesOwnDatabase, ownDatabaseRefusal } from "./own-database.ts";
import { requireRole } from "./require-role.ts";
import { requireWorker } from "./require-worker.ts";
import { resolveAccess, sameServer } from "./resolve-access.ts";
import type { ConnectionTest } from "./schema.ts";
import { connectionTestSchema, testConnectionInput } from "./schema.ts";
import { triggerOf } from "./start-preflight.ts";

const LONGEST_WAIT_MS = 20_000;
const LOOK_EVERY_MS = 100;

type Input = z.output<typeof testConnectionInput>;
type Found = Awaited<ReturnType<typeof findDatabase>>;

/**
 * Has a worker of the pool connect once, and waits up to 20 s for its answer. The password travels sealed and is
 * wiped at the end. Throws `unavailable` when no worker is running, `timeout` when the answer takes too long.
 */
export async function testConnection(
  ctx: Ctx,
  input: z.input<typeof testConnectionInput>,
  options: { signal?: AbortSignal; waitMs?: number } = {},
): Promise<ConnectionTest> {
  requireRole(ctx, "database.test");
  const query = testConnectionInput.parse(input);
  const database = query.database ? await findDatabase(ctx, ctx.db, query.database, "database.test") : null;
  if (!database) requirePermission(ctx, "database.test");
  const { access, asRegistered } = await accessOf(query, database);
  const pool = database && asRegistered ? database.pool : query.pool;
  await requireWorker(ctx, pool);
  const id = await start(ctx, { access, asRegistered, database, pool, engine: query.engine });
  return await waitForAnswer(ctx, id, options);
}

async function accessOf(
  query: Input,
  database: Found | null,
): Promise<{ access: Access; asRegistered: boolean }> {
  if (database && database.engine !== query.engine) {
    throw new HoldfastError("invalid", `${database.name} is not of the engine ${query.engine}.`, {
      fields: { engine: `is ${database.engine}` },
    });
  }
  const engine = engineFor(query.engine);
  const given = await resolveAccess(engine, query);
  const stored = database ? (database.connection as Record<string, unknown>) : null;
  const connection = given?.connection ?? stored;
  if (!connection) {
    throw new HoldfastError("invalid", "The connection is missing.", {
      remedy: "Give a URL, or host, database and user.",
      fields: { url: "Give a URL, or the parts of the connection." },
    });
  }
  if (namesOwnDatabase(engine, connection)) throw ownDatabaseRefusal();
  const entered = given?.password ?? query.password;
  if (entered !== undefined && entered !== "")
    return { access: { connection, password: entered }, asRegistered: false };
  const asRegistered = given === null;
  if (!database || database.secretSealed === null) return { access: { connection }, asRegistered };
  // A stored password is never sent to a server that it was not given for.
  if (stored && !sameServer(stored, connection)) {
    throw new HoldfastError("invalid", "The server or the way to it is not the registered one.", {
      remedy: "Enter the password.",
      fields: { password: "Enter the password: the stored one is not sent to another server." },
    });
  }
  const password = (await processKeyring()).open(database.secretSealed, databaseAad(database.id));
  return { access: { connection, password }, asRegistered };
}

interface Start {
  access: Access;
  asRegistered: boolean;
  database: Found | null;
  pool: string;
  engine: Input["engine"];
}

async function start(ctx: Ctx, { access, asRegistered, database, pool, engine }: Start): Promise<string> {
  const keyring = await processKeyring();
  const id = newId();
  const { connection, password } = access;
  const passwordSealed = password === undefined ? null : keyring.seal(password, testPasswordAad(id));
  await ctx.db.$transaction(async (tx) => {
    await startOperation(tx, ctx, testConnectionOperation, {
      id,
      payload: { engine, connection, passwordSealed, asRegistered },
      title: `Test the connection to ${database?.name ?? whereTo(connection)}`,
      pool,
      trigger: triggerOf(ctx),
      databaseId: database?.id ?? null,
    });
    await emitAudit(tx, ctx, {
      action: "database.test",
      object: { kind: "database", id: database?.id, name: database?.name },
      after: { engine, connection, operationId: id },
    });
  });
  return id;
}

function whereTo(connection: Record<string, unknown>): string {
  const { host, file } = connection;
  return typeof host === "string" ? host : typeof file === "string" ? file : "a database";
}

async function waitForAnswer(
  ctx: Ctx,
  id: string,
  { signal, waitMs = LONGEST_WAIT_MS }: { signal?: AbortSignal; waitMs?: number },
): Promise<ConnectionTest> {
  const until = performance.now() + waitMs;
  while (performance.now() < until && !signal?.aborted) {
    const row = await ctx.db.operation.findUniqueOrThrow({
      where: { id },
      select: { state: true, reason: true, result: true },
    });
    if (finalStates.includes(row.state)) return answerOf(row);
    await delay(LOOK_EVERY_MS);
  }
  await ctx.db.$transaction(async (tx) => {
    await cancelIn(tx, id, ctx.actor.name);
    await wipePassword(tx, id);
  });
  throw new HoldfastError("timeout", "No worker has answered within 20 s; the test was cancelled.", {
    remedy: "The workers may be busy, or the server may not answer: look at the operation, and try again.",
  });
}

function answerOf(row: { reason: string | null; result: unknown }): ConnectionTest {
  if (row.result !== null) return connectionTestSchema.parse(row.result);
  return {
    ok: false,
    message: row.reason ?? "The test ended without an answer.",
    remedy: null,
    serverVersion: null,
    sizeBytes: null,
    latencyMs: null,
    findings: [],
  };
}
