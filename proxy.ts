import type { NextRequest } from "next/server";
import { NextResponse } from "next/server";
import { contentSecurityPolicy, newNonce } from "./lib/web/content-security-policy.ts";

/** Pages that people without a session come to. */
const OPEN = ["/login", "/setup", "/invite"];
const COOKIES = ["holdfast.session", "__Secure-holdfast.session"];

/**
 * Sends people without a session cookie to the sign-in page early, and gives every page its
 * Content-Security-Policy. It only looks whether there is a cookie: pages and verbs check the session itself.
 */
export function proxy(request: NextRequest): NextResponse {
  const { pathname, search } = request.nextUrl;
  const open = OPEN.some((path) => pathname === path || pathname.startsWith(`${path}/`));
  if (!open && !COOKIES.some((name) => request.cookies.has(name))) {
    const login = new URL("/login", request.url);
    if (pathname !== "/") login.searchParams.set("callbackUrl", `${pathname}${search}`);
    return NextResponse.redirect(login);
  }
  const nonce = newNonce();
  const policy = contentSecurityPolicy(nonce, process.env.NODE_ENV === "development");
  const headers = new Headers(request.headers);
  headers.set("x-holdfast-path", `${pathname}${search}`);
  headers.set("x-nonce", nonce);
  // Next reads the nonce for its own scripts from here.
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}

/** Everything but the API, which answers for itself, what the build made, and the one file that is served as it is. */
export const config = { matcher: ["/((?!api/|_next/|icon\\.svg$).*)"] };
