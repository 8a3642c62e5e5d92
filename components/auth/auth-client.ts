/** Sign-in and sign-out against /api/auth, as its own client would do it. */

async function csrfToken(): Promise<string> {
  const response = await fetch("/api/auth/csrf", { cache: "no-store" });
  if (!response.ok) throw new Error(`csrf ${response.status}`);
  const body = (await response.json()) as { csrfToken: string };
  return body.csrfToken;
}

async function post(path: string, fields: Record<string, string>): Promise<{ url?: string }> {
  const response = await fetch(`/api/auth/${path}`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ ...fields, csrfToken: await csrfToken(), json: "true" }),
  });
  return (await response.json()) as { url?: string };
}

/** Signs in. Null when it worked, else the sentence to show. */
export async function signIn(given: {
  email: string;
  password: string;
  code: string;
}): Promise<string | null> {
  try {
    const answer = await post("callback/credentials", { ...given, callbackUrl: window.location.origin });
    const error = answer.url
      ? new URL(answer.url, window.location.href).searchParams.get("error")
      : "no answer";
    if (error === null) return null;
    // The framework's own codes are no sentences.
    return error.includes(" ") ? error : "E-mail, password or code is wrong.";
  } catch {
    return "Holdfast could not be reached: the server is down or the network is. Try again in a moment.";
  }
}

/** Ends the session and goes to the sign-in page. */
export async function signOut(): Promise<void> {
  await post("signout", { callbackUrl: "/login" }).catch(() => undefined);
  window.location.assign("/login");
}

/** Where to go after signing in: a path of this site, else the Overview. */
export function safePath(asked: string | null | undefined): string {
  // Browsers drop tabs and line ends, and read a backslash as a slash.
  if (!asked?.startsWith("/") || asked.startsWith("//") || /[\\\t\n\r]/.test(asked)) return "/";
  return asked;
}
