import { encode } from "next-auth/jwt";
import { ADDRESS_HEADER } from "../../auth/client-address.ts";
import { sessionCookieName } from "../../auth/session-cookie.ts";
import type { Clock, Ctx } from "../../context.ts";
import { asSystem } from "../../context.ts";
import { ensureDefaults } from "../../defaults.ts";
import { parseEnv } from "../../env.ts";
import type { Logger } from "../../logger.ts";
import { createLogger } from "../../logger.ts";
import type { Runtime } from "../../runtime.ts";
import { baseCtx } from "../../runtime.ts";
import { createTestKeyring } from "../../secrets/testing/keyring.ts";
import type { TestDb } from "../../testing/metadata.ts";
import { createTestDb } from "../../testing/metadata.ts";
import { dispatch } from "../dispatch.ts";
import type { Endpoint } from "../endpoint.ts";

export const ORIGIN = "http://localhost:3000";

export interface CallOptions {
  /** Session id: sent as the cookie that next-auth would have set. */
  session?: string | undefined;
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  /** Origin header; by default our own beside a cookie. */
  origin?: string | null;
  signal?: AbortSignal;
}

export interface TestApi {
  testDb: TestDb;
  runtime: Runtime;
  /** A context without an actor; its clock is `clock`. */
  base: Omit<Ctx, "actor">;
  clock: Clock & { advance(seconds: number): void };
  call(
    endpoints: readonly Endpoint[],
    method: string,
    path: string,
    options?: CallOptions,
  ): Promise<Response>;
  close(): Promise<void>;
}

/** The real dispatcher on an own metadata database with the defaults of a first start. */
export async function createTestApi(log: Logger = createLogger("test", "silent")): Promise<TestApi> {
  const testDb = await createTestDb();
  const { keyring, remove } = await createTestKeyring(testDb.db);
  const env = parseEnv({ DATABASE_URL: testDb.url, HOLDFAST_URL: ORIGIN });
  const sessionSecret = "a secret of the tests only";
  const runtime: Runtime = { env, db: testDb.db, log, keyring, sessionSecret, secureCookies: false };
  let offset = 0;
  const clock = {
    now: () => new Date(Date.now() + offset),
    advance(seconds: number) {
      offset += seconds * 1000;
    },
  };
  const base = { ...baseCtx(runtime, "192.0.2.1"), clock };
  await ensureDefaults(asSystem(base, "test"), { dataFolder: "/nonexistent" });

  const cookie = async (session: string) => {
    const jwt = await encode({ token: { sid: session }, secret: sessionSecret });
    return `other=1; ${sessionCookieName(false)}=${jwt}`;
  };
  return {
    testDb,
    runtime,
    base,
    clock,
    async call(endpoints, method, path, options = {}) {
      const headers = new Headers({ [ADDRESS_HEADER]: "192.0.2.1", ...options.headers });
      if (options.session) headers.set("cookie", await cookie(options.session));
      if (options.token) headers.set("authorization", `Bearer ${options.token}`);
      const origin = options.origin === undefined ? (options.session ? ORIGIN : null) : options.origin;
      if (origin !== null) headers.set("origin", origin);
      const body = options.body === undefined ? null : JSON.stringify(options.body);
      if (body !== null && !headers.has("content-type")) headers.set("content-type", "application/json");
      const { signal } = options;
      const init = { method, headers, body, ...(signal ? { signal } : {}) };
      return await dispatch(runtime, endpoints, new Request(`${ORIGIN}/api/v1${path}`, init));
    },
    async close() {
      await testDb.drop();
      await remove();
    },
  };
}
