import { getToken } from "next-auth/jwt";

/** Name of the cookie that carries the signed-in session; `__Secure-` is honoured by browsers over https only. */
export function sessionCookieName(secure: boolean): string {
  return secure ? "__Secure-holdfast.session" : "holdfast.session";
}

/** The cookies of a Cookie header by name; the first of equal names counts (RFC 6265 orders the most specific first). */
export function parseCookies(header: string | null): Record<string, string> {
  const cookies = new Map<string, string>();
  for (const part of (header ?? "").split(";")) {
    const at = part.indexOf("=");
    const name = part.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) cookies.set(name, part.slice(at + 1).trim());
  }
  return Object.fromEntries(cookies);
}

/**
 * Id of the session that the cookie names, or null when there is none or it was not made here. It says nothing
 * about whether that session still stands: resolveSession asks the database.
 */
export async function sessionIdFromCookies(
  cookies: Record<string, string>,
  options: { secure: boolean; secret: string },
): Promise<string | null> {
  const cookieName = sessionCookieName(options.secure);
  if (!cookies[cookieName]) return null;
  // Only its `cookies` and `headers` are read; bearer tokens are looked up elsewhere, so no header is passed.
  const req = { cookies, headers: {} } as Parameters<typeof getToken>[0]["req"];
  const token = await getToken({ req, cookieName, secret: options.secret });
  return typeof token?.sid === "string" ? token.sid : null;
}
