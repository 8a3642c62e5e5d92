import { assert } from "./project.ts";

/** The install as somebody outside the containers sees it: by its URL, signed in or with a token. */
export interface Console {
  url: string;
  /** GET of a page, signed in. */
  page(path: string): Promise<{ status: number; text: string }>;
  /** /api/v1 with the token; throws with the answer unless it is a success. */
  api<T>(path: string, body?: unknown): Promise<T>;
  token: string;
}

function cookiesOf(answer: Response): string[] {
  return answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
}

/** Signs in as a browser would, and makes an API token of the admin's. */
export async function openConsole(url: string, email: string, password: string): Promise<Console> {
  const start = await fetch(`${url}/api/auth/csrf`);
  const { csrfToken } = (await start.json()) as { csrfToken: string };
  const signIn = await fetch(`${url}/api/auth/callback/credentials`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie: cookiesOf(start).join("; ") },
    body: new URLSearchParams({ csrfToken, email, password, json: "true" }),
  });
  const cookie = cookiesOf(signIn).join("; ");
  assert(cookie.includes("holdfast.session="), `signing in was answered ${signIn.status} without a session`);
  const made = await fetch(`${url}/api/v1/tokens`, {
    method: "POST",
    headers: { cookie, origin: new URL(url).origin, "content-type": "application/json" },
    body: JSON.stringify({ name: "containers", role: "admin" }),
  });
  assert(made.status === 201, `making a token was answered ${made.status}: ${await made.clone().text()}`);
  const { token } = (await made.json()) as { token: string };
  return {
    url,
    token,
    async page(path) {
      const answer = await fetch(`${url}${path}`, { headers: { cookie }, redirect: "manual" });
      return { status: answer.status, text: await answer.text() };
    },
    async api<T>(path: string, body?: unknown) {
      const answer = await fetch(`${url}/api/v1${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${text.slice(0, 500)}`);
      return JSON.parse(text) as T;
    },
  };
}
