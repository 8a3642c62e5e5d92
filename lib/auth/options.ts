import type { AuthOptions } from "next-auth";
import { isHoldfastError, messageOf } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Runtime } from "../runtime.ts";
import { baseCtx } from "../runtime.ts";
import { clientAddress } from "./client-address.ts";
import { endOwnSession } from "./end-session.ts";
import { resolveSession, SESSION_DAYS } from "./resolve-session.ts";
import { sessionCookieName } from "./session-cookie.ts";
import { signIn } from "./sign-in.ts";

declare module "next-auth" {
  interface User {
    sessionId?: string;
  }
}
declare module "next-auth/jwt" {
  interface JWT {
    sid?: string;
  }
}

/**
 * next-auth 4 with e-mail, password and code. The cookie holds the id of a session row and nothing that is
 * trusted; whoever reads it asks the database (resolve-session.ts).
 */
export function authOptions(runtime: Runtime): AuthOptions {
  const { secureCookies, sessionSecret, env, log } = runtime;
  return {
    secret: sessionSecret,
    session: { strategy: "jwt", maxAge: SESSION_DAYS * 24 * 3600 },
    pages: { signIn: "/login", error: "/login" },
    useSecureCookies: secureCookies,
    cookies: {
      sessionToken: {
        name: sessionCookieName(secureCookies),
        options: { httpOnly: true, sameSite: "lax", path: "/", secure: secureCookies },
      },
    },
    providers: [
      {
        id: "credentials",
        name: "Credentials",
        type: "credentials",
        credentials: { email: {}, password: {}, code: {} },
        async authorize(given, request) {
          const headers = new Headers(request.headers as Record<string, string>);
          const base = baseCtx(runtime, clientAddress(headers, env));
          try {
            const signedIn = await signIn(base, {
              email: String(given?.email ?? ""),
              password: String(given?.password ?? ""),
              code: String(given?.code ?? ""),
              userAgent: headers.get("user-agent") ?? undefined,
            });
            const { userId, name, email, sessionId } = signedIn;
            return { id: userId, name, email, sessionId };
          } catch (error) {
            throw new Error(publicText(runtime, error));
          }
        },
      },
    ],
    callbacks: {
      async jwt({ token, user }) {
        if (user?.sessionId) return { sub: user.id, sid: user.sessionId };
        const standing = token.sid ? await resolveSession(baseCtx(runtime), token.sid) : null;
        if (!standing) throw new Error("the session has ended");
        return token;
      },
      session: ({ session }) => ({ expires: session.expires }),
    },
    events: {
      async signOut({ token }) {
        const standing = token?.sid ? await resolveSession(baseCtx(runtime), token.sid) : null;
        if (standing) await endOwnSession(standing.ctx);
      },
    },
    logger: {
      // An ended session's cookie is no fault.
      error: (code, metadata) =>
        log[code === "JWT_SESSION_ERROR" ? "debug" : "error"](
          { code, detail: detailOf(metadata) },
          "next-auth",
        ),
      warn: (code) => log.warn({ code }, "next-auth"),
      debug: () => undefined,
    },
  };
}

/** next-auth puts an error's text into the answer: only texts meant for people may get there. */
function publicText(runtime: Runtime, error: unknown): string {
  if (isHoldfastError(error)) return error.message;
  const requestId = newId();
  runtime.log.error({ err: error, requestId }, "sign-in failed");
  return `Signing in failed on our side. The log has the details under ${requestId}.`;
}

function detailOf(metadata: unknown): string {
  return metadata instanceof Error || typeof metadata === "string" ? messageOf(metadata) : "";
}
