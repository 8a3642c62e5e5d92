import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");
const files = (pattern: string) =>
  globSync(pattern, { cwd: ROOT })
    .sort()
    .map((name) => ({ name, text: readFileSync(path.join(ROOT, name), "utf8") }));

/** What works without a full sign-in, and through which door. */
const WITHOUT_SIGN_IN = ["acceptInviteAction", "claimAction"];
const OPEN_PAGES = ["(auth)/change-password", "(auth)/invite", "(auth)/login", "(auth)/setup"];
const OPEN_ROUTES = ["auth/[...nextauth]", "livez", "readyz", "v1/[...path]"];
/** Streams to disk as a page's fetch can't; its verb is walked as every role through the API. */
const FORM_ROUTES = ["app/(console)/backups/[backup]/download/route.ts"];
const HARMLESS = /^@\/lib\/(.*\/)?(schema|query-keys|format|errors)(\.ts)?$/;

/** What the API's endpoints import: the verbs that are walked as every role and as nobody. */
const WALKED = new Set(
  files("lib/api/endpoints/*.ts").flatMap(({ text }) =>
    [...text.matchAll(/from "\.\.\/\.\.\/([^"]+)\.ts"/g)].map((match) => `@/lib/${match[1]}`),
  ),
);
/** Doors and rules; they do nothing by themselves. */
const NO_VERB = /^@\/lib\/(actions\/act|api\/[\w-]+|auth\/(session|permissions|claim)|runtime|errors|ids)$/;
/** Verbs beside the walked ones, each of which checks the person itself. */
const NOT_WALKED = ["@/lib/auth/confirm-password"];

/** Modules of lib whose code (not only a type) a file uses. */
function verbsOf(text: string): string[] {
  const imports = text.matchAll(/^import (?!type )[^;]*? from "(@\/lib\/[^"]+?)(?:\.ts)?";/gm);
  return [...imports].map((match) => match[1] ?? "").filter((from) => !NO_VERB.test(from));
}

/** Name and text of each exported function. */
function exported(text: string): { name: string; body: string }[] {
  return text
    .split(/^export /m)
    .slice(1)
    .map((part) => ({ name: /^async function (\w+)/.exec(part)?.[1] ?? part.slice(0, 40), body: part }));
}

describe("server actions: each is a public POST", () => {
  const modules = files("{app,components,lib}/**/*.{ts,tsx}").filter(({ text }) =>
    /^\s*["']use server["'];?$/m.test(text),
  );

  test("they are there", () => expect(modules.length).toBeGreaterThan(3));

  test.each(modules)("$name: every function goes through a door that checks the session", ({ text }) => {
    expect(text.trimStart()).toMatch(/^["']use server["']/);
    for (const { name, body } of exported(text)) {
      expect(name).toMatch(/^\w+$/);
      const doors = body.match(/\b(act|actAsNobody|actBeforePasswordChange)\(/g) ?? [];
      expect({ name, doors: doors.length }).toEqual({ name, doors: 1 });
      if (doors[0] === "actAsNobody(") expect(WITHOUT_SIGN_IN).toContain(name);
      if (doors[0] === "actBeforePasswordChange(") expect(name).toBe("changePasswordAction");
    }
  });
});

describe("verbs: what actions, pages and routes call is what the API's walk tries as every role", () => {
  const callers = files("app/**/{actions,page,layout,route}.{ts,tsx}").filter(
    ({ name }) => !name.startsWith("app/api/"),
  );

  test.each(callers)("$name", ({ text }) => {
    const verbs = verbsOf(text).filter((from) => !HARMLESS.test(from) && !NOT_WALKED.includes(from));
    expect(verbs.filter((from) => !WALKED.has(from))).toEqual([]);
  });

  test("they are found", () =>
    expect(callers.flatMap(({ text }) => verbsOf(text)).length).toBeGreaterThan(40));
});

describe("pages and layouts", () => {
  test.each(files("app/**/{page,layout}.tsx"))(
    "$name: what reads from lib checks the session",
    ({ name, text }) => {
      const read = [...text.matchAll(/from "(@\/lib\/[^"]+)"/g)].map((match) => match[1] ?? "");
      const harmless = read.every((from) => HARMLESS.test(from));
      const open = OPEN_PAGES.some((page) => name === `app/${page}/page.tsx`);
      expect(harmless || open || /\brequireCtx\(/.test(text)).toBe(true);
    },
  );

  test("the console's frame goes to the sign-in page itself", () => {
    const [layout] = files("app/(console)/layout.tsx");
    expect(layout?.text).toContain("await requireCtx()");
  });
});

describe("route handlers", () => {
  test("those of the API are few and known; everything else is an endpoint of the registry", () => {
    const found = files("app/api/**/route.ts").map(({ name }) =>
      name.replace(/^app\/api\/|\/route\.ts$/g, ""),
    );
    expect(found).toEqual(OPEN_ROUTES);
  });

  const others = files("app/**/route.{ts,tsx}").filter(({ name }) => !name.startsWith("app/api/"));

  test("beside them there is only what a browser's own form needs", () => {
    expect(others.map(({ name }) => name)).toEqual(FORM_ROUTES);
  });

  test.each(others)("$name takes posts of our own pages, by a session that stands", ({ text }) => {
    expect(text.match(/^export (async )?(function|const) (\w+)/gm)).toEqual(["export async function POST"]);
    expect(text).toMatch(/\brequireOwnOrigin\([\s\S]*\bcurrentCtx\(/);
  });
});
