import { hkdfSync } from "node:crypto";
import type { Ctx } from "./context.ts";
import { systemClock } from "./context.ts";
import type { Db } from "./db/client.ts";
import { openDb } from "./db/client.ts";
import type { Env } from "./env.ts";
import { parseEnv } from "./env.ts";
import { HoldfastError } from "./errors.ts";
import type { Logger } from "./logger.ts";
import { createLogger } from "./logger.ts";
import type { Keyring } from "./secrets/keyring.ts";
import { keyFolder, openKeyring } from "./secrets/keyring.ts";

/** What the web process holds once, for as long as it runs. */
export interface Runtime {
  env: Env;
  db: Db;
  log: Logger;
  keyring: Keyring;
  /** Signs and encrypts session cookies; the same in every web process of an install. */
  sessionSecret: string;
  /** Cookies carry the Secure flag: people come over https. */
  secureCookies: boolean;
}

const holder = globalThis as typeof globalThis & { holdfastRuntime?: Promise<Runtime> | undefined };

/**
 * The runtime of this web process, made at first use and kept on globalThis, because bundles load this module
 * more than once. A start that failed is tried again at the next call. Throws `invalid` for a wrong setting and
 * `refused` for a missing key.
 */
export function getRuntime(): Promise<Runtime> {
  holder.holdfastRuntime ??= createRuntime(process.env).catch((error: unknown) => {
    holder.holdfastRuntime = undefined;
    throw error;
  });
  return holder.holdfastRuntime;
}

/** Makes a runtime from settings; `getRuntime` is what requests use. */
export async function createRuntime(source: Record<string, string | undefined>): Promise<Runtime> {
  const env = parseEnv(source);
  if (!env.DATABASE_URL) {
    throw new HoldfastError(
      "invalid",
      "DATABASE_URL is not set, and the web process starts no server itself.",
      {
        remedy: "Use npm start, which brings a Postgres of its own, or set DATABASE_URL.",
      },
    );
  }
  const log = createLogger("web", env.HOLDFAST_LOG_LEVEL);
  const folder = keyFolder(env);
  const keyring = await openKeyring({ folder, mayCreate: false, warn: (message) => log.warn(message) });
  const db = openDb(env.DATABASE_URL, { max: 10, applicationName: "holdfast web" });
  const sessionSecret = deriveSecret(keyring.auditKey, "holdfast session cookie 1");
  // next-auth reads these two from the environment and nowhere else.
  source.NEXTAUTH_URL = env.url.origin;
  source.NEXTAUTH_SECRET = sessionSecret;
  return { env, db, log, keyring, sessionSecret, secureCookies: env.url.protocol === "https:" };
}

/** A secret of 256 bits for one purpose (HKDF-SHA256, RFC 5869). The audit key lives as long as the install. */
function deriveSecret(key: Buffer, purpose: string): string {
  return Buffer.from(hkdfSync("sha256", key, "", purpose, 32)).toString("base64url");
}

/** A context without an actor; add one, or use asSystem. */
export function baseCtx(runtime: Runtime, address?: string): Omit<Ctx, "actor"> {
  return {
    address,
    publicUrl: runtime.env.url,
    db: runtime.db,
    clock: systemClock,
    log: runtime.log,
  };
}
