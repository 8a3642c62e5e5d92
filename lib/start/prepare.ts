import path from "node:path";
import { Client } from "pg";
import { claimFromEnv, ensureClaimToken } from "../auth/claim.ts";
import type { Ctx } from "../context.ts";
import { systemClock } from "../context.ts";
import { openDb } from "../db/client.ts";
import { migrate, pendingMigrations } from "../db/migrate.ts";
import { ensureDefaults } from "../defaults.ts";
import type { Env } from "../env.ts";
import type { Logger } from "../logger.ts";
import { prepareQueues } from "../operations/prepare-queues.ts";
import { keyFolder } from "../secrets/keyring.ts";
import { startKeyring } from "../secrets/start-keyring.ts";

export interface Prepared {
  ctx: Ctx;
  /** Names of the migrations that were applied now. */
  migrations: string[];
  /** The line that ends a start: where it is and, until somebody has, how to claim the first account. */
  readyLine(url: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * Makes a metadata database ready for web and workers: migrations, queues, keys, defaults of a first start. Safe
 * to run from several processes at once. Throws `refused` when the keys are not those of this install.
 */
export async function prepare(options: {
  env: Env;
  ownerUrl: string;
  databaseUrl: string;
  embedded: boolean;
  log: Logger;
}): Promise<Prepared> {
  const { env, log } = options;
  const migrations = await applyMigrations(options);
  await prepareQueues(options.databaseUrl);
  const db = openDb(options.databaseUrl, { max: 2, applicationName: "holdfast start" });
  const ctx: Ctx = { actor: { kind: "system", name: "start" }, db, clock: systemClock, log };
  try {
    await startKeyring(db, {
      folder: path.resolve(keyFolder(env)),
      embedded: options.embedded,
      warn: (message) => log.warn(message),
    });
    await ensureDefaults(ctx, { dataFolder: env.HOLDFAST_DATA });
    await claimFromEnv(ctx, env);
  } catch (error) {
    await db.$disconnect();
    throw error;
  }
  return { ctx, migrations, readyLine: (url) => readyLine(ctx, url), close: () => db.$disconnect() };
}

/** With nothing pending the owner is not needed, so that web may run with a login that owns nothing. */
async function applyMigrations(options: { ownerUrl: string; databaseUrl: string }): Promise<string[]> {
  const client = new Client({ connectionString: options.databaseUrl, application_name: "holdfast start" });
  await client.connect();
  const pending = await pendingMigrations(client).finally(() => client.end());
  return pending.length > 0 ? await migrate(options.ownerUrl) : [];
}

async function readyLine(ctx: Ctx, url: string): Promise<string> {
  const token = await ensureClaimToken(ctx);
  if (token === null) return `Holdfast is ready: ${url}`;
  return `Holdfast is ready: ${url} - claim the first account at ${url}/setup?token=${token}`;
}
