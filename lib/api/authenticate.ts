import { clientAddress } from "../auth/client-address.ts";
import { resolveSession } from "../auth/resolve-session.ts";
import { resolveToken } from "../auth/resolve-token.ts";
import { parseCookies, sessionIdFromCookies } from "../auth/session-cookie.ts";
import { isUse } from "../auth/session-use.ts";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { baseCtx } from "../runtime.ts";
import type { Endpoint } from "./endpoint.ts";

/** What a session may do while its password is a temporary one. */
const BEFORE_PASSWORD_CHANGE = new Set(["GET /me", "POST /me/password"]);
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Who asks: a bearer token, else the session cookie. A token that is not good is refused even beside a good
 * cookie. Endpoints without a permission act as the system and need neither. Writes that rest on the cookie,
 * or on nothing, must not come from another site's page (the Origin header).
 */
export async function authenticate(runtime: Runtime, request: Request, endpoint: Endpoint): Promise<Ctx> {
  const base = baseCtx(runtime, clientAddress(request.headers, runtime.env));
  const authorization = request.headers.get("authorization");
  if (endpoint.permission === null) {
    if (request.headers.has("origin")) requireOwnOrigin(runtime, request);
    return { ...base, actor: { kind: "system", name: "nobody" } };
  }
  if (authorization !== null) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    const ctx = token ? await resolveToken(base, token) : null;
    if (ctx) return ctx;
    throw new HoldfastError(
      "unauthenticated",
      "This API token is unknown, revoked or expired, or its owner is disabled.",
      {
        remedy: "Make a new one under Settings, Tokens, and send it as Authorization: Bearer <token>.",
      },
    );
  }
  const { secureCookies: secure, sessionSecret: secret } = runtime;
  const cookies = parseCookies(request.headers.get("cookie"));
  const sessionId = await sessionIdFromCookies(cookies, { secure, secret });
  const use = isUse(request.headers) && !endpoint.streams?.includes("text/event-stream");
  const session = sessionId ? await resolveSession(base, sessionId, { use }) : null;
  if (!session) {
    throw new HoldfastError("unauthenticated", "This needs a sign-in or an API token.", {
      remedy: "Sign in, or send Authorization: Bearer <token>.",
    });
  }
  if (request.method !== "GET" && request.method !== "HEAD") requireOwnOrigin(runtime, request);
  if (session.mustChangePassword && !BEFORE_PASSWORD_CHANGE.has(`${endpoint.method} ${endpoint.path}`)) {
    throw new HoldfastError("forbidden", "Your password is a temporary one.", {
      remedy: "Change it first: open /change-password.",
    });
  }
  return session.ctx;
}

/** Refuses a write that another site's page could have made: its Origin must be ours. */
export function requireOwnOrigin(runtime: Runtime, request: Request): void {
  const origin = request.headers.get("origin");
  const own = runtime.env.url;
  if (origin === own.origin || (origin !== null && sameLoopback(origin, own))) return;
  throw new HoldfastError(
    "forbidden",
    `This write came from ${origin ?? "a page that does not name itself"}, not from ${own.origin}.`,
    { remedy: `Open Holdfast at ${own.origin}, or set HOLDFAST_URL to the address that people use.` },
  );
}

/** localhost, 127.0.0.1 and ::1 on the same port are the same server. */
function sameLoopback(origin: string, own: URL): boolean {
  const other = URL.parse(origin);
  return (
    other !== null &&
    other.protocol === own.protocol &&
    other.port === own.port &&
    LOOPBACK.has(other.hostname) &&
    LOOPBACK.has(own.hostname)
  );
}
