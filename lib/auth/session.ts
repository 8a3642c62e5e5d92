import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import type { Ctx } from "../context.ts";
import { baseCtx, getRuntime } from "../runtime.ts";
import { isClaimed } from "./claim.ts";
import { clientAddress } from "./client-address.ts";
import type { ResolvedSession } from "./resolve-session.ts";
import { resolveSession } from "./resolve-session.ts";
import { sessionIdFromCookies } from "./session-cookie.ts";
import { isUse } from "./session-use.ts";

/** proxy.ts puts the path that was asked for here; pages have no other way to know it. */
export const PATH_HEADER = "x-holdfast-path";

/**
 * The signed-in session of this request, asked of the database once per request. Unlike currentCtx it is also
 * given while the password must be changed: for the change-password page and its action only.
 */
export const currentSession = cache(async (): Promise<ResolvedSession | null> => {
  const runtime = await getRuntime();
  const { secureCookies: secure, sessionSecret: secret } = runtime;
  const jar = await cookies();
  const all = Object.fromEntries(jar.getAll().map(({ name, value }) => [name, value]));
  const sessionId = await sessionIdFromCookies(all, { secure, secret });
  if (!sessionId) return null;
  const asked = await headers();
  const base = baseCtx(runtime, clientAddress(asked, runtime.env));
  return await resolveSession(base, sessionId, { use: isUse(asked) });
});

/** The context of the signed-in person, or null when nobody is, or the password must be changed first. */
export async function currentCtx(): Promise<Ctx | null> {
  const session = await currentSession();
  return session && !session.mustChangePassword ? session.ctx : null;
}

/**
 * The context of the signed-in person, for pages. Goes to /setup before the first account exists, to /login
 * (and back here afterwards) when nobody is signed in, to /change-password when that must be done first.
 */
export async function requireCtx(): Promise<Ctx> {
  const session = await currentSession();
  if (!session) {
    if (!(await isClaimed((await getRuntime()).db))) redirect("/setup");
    redirect(`/login?callbackUrl=${encodeURIComponent((await headers()).get(PATH_HEADER) ?? "/")}`);
  }
  if (session.mustChangePassword) redirect("/change-password");
  return session.ctx;
}

/** The context for what needs no sign-in (first set-up, accepting an invitation): acts as the system. */
export async function anonymousCtx(): Promise<Ctx> {
  const runtime = await getRuntime();
  const base = baseCtx(runtime, clientAddress(await headers(), runtime.env));
  return { ...base, actor: { kind: "system", name: "nobody" } };
}
