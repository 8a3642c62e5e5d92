import { globSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Role } from "../../lib/context.ts";
import { asSystem, systemClock } from "../../lib/context.ts";
import { ensureDefaults } from "../../lib/defaults.ts";
import { createLogger } from "../../lib/logger.ts";
import { ROOT } from "../../lib/root.ts";
import { createRuntime } from "../../lib/runtime.ts";
import type { TestKeyring } from "../../lib/secrets/testing/keyring.ts";
import { createTestKeyring } from "../../lib/secrets/testing/keyring.ts";
import type { TestDb } from "../../lib/testing/metadata.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";
import { freePort } from "../../lib/testing/postgres.ts";
import type { WebProcess } from "../web-process.ts";
import { startWeb } from "../web-process.ts";
import type { Person } from "./people.ts";
import { everybody, MARK, seed } from "./people.ts";

/** The least role that a page is for; `admin of all` shuts out those who are limited to some environments, too. */
type Open = Role | "admin of all" | ((person: Person, path: string) => string);

/** Every page below app, with whom it is for, or else what each person gets. A new page belongs here. */
const PAGES: Record<string, Open> = {
  "/login": ({ role, mustChangePassword }) => (role && !mustChangePassword ? "to /" : "shown"),
  // Somebody has claimed this install.
  "/setup": () => "to /",
  "/invite": () => "shown",
  "/change-password": ({ role, mustChangePassword, cookie }, path) => {
    if (!role) return cookie ? "to /login" : toLogin(path);
    return mustChangePassword ? "shown" : "to /";
  },
  // Who may make no recovery kit is told so where the keys are.
  "/setup/recovery-kit": (person, path) => {
    if (!person.role) return toLogin(path);
    if (person.mustChangePassword) return "to /change-password";
    return person.role === "admin" && !person.limited ? "shown" : "to /settings/keys";
  },
  "/": "viewer",
  "/api-docs": "viewer",
  "/audit": "viewer",
  "/backups": "viewer",
  "/backups/[backup]": "viewer",
  "/backups/[backup]/restore": "admin",
  "/databases": "viewer",
  "/databases/[database]": "viewer",
  "/databases/[database]/edit": "admin",
  "/databases/new": "admin",
  "/operations": "viewer",
  "/operations/[operation]": "viewer",
  "/policies": "viewer",
  "/policies/[policy]": "viewer",
  "/policies/[policy]/edit": "admin of all",
  "/policies/new": "admin of all",
  "/settings": (person, path) => consolePage("viewer", person, path).replace("shown", "to /settings/account"),
  "/settings/account": "viewer",
  "/settings/destinations": "viewer",
  "/settings/environments": "viewer",
  "/settings/keys": "admin of all",
  "/settings/members": "admin of all",
  "/settings/tokens": "admin of all",
  "/settings/workers": "viewer",
};

const REFUSAL = /This needs the role \w+; you are \w+\.|Your access is limited to [^".]+\./;
const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };
const toLogin = (path: string) => `to /login?callbackUrl=${encodeURIComponent(path)}`;

function consolePage(open: Role | "admin of all", person: Person, path: string): string {
  const { role, limited, mustChangePassword } = person;
  // Without a cookie one is sent away before the page is looked at, and the Overview needs no way back.
  if (!role) return person.cookie === "" && path === "/" ? "to /login" : toLogin(path);
  if (mustChangePassword) return "to /change-password";
  const least = open === "admin of all" ? "admin" : open;
  if (RANK[role] < RANK[least]) return `refused: This needs the role ${least}; you are ${role}.`;
  if (limited && open === "admin of all") {
    return "refused: Your access is limited to some environments or applications; this concerns all of them.";
  }
  return "shown";
}

let testDb: TestDb;
let keys: TestKeyring;
let web: WebProcess;
let people: Person[];
let params: Record<string, string>;

beforeAll(async () => {
  testDb = await createTestDb();
  keys = await createTestKeyring(testDb.db);
  const port = await freePort();
  const env = {
    DATABASE_URL: testDb.url,
    HOLDFAST_KEYS: keys.keyring.folder,
    HOLDFAST_URL: `http://127.0.0.1:${port}`,
  };
  const ctx = asSystem({ db: testDb.db, clock: systemClock, log: createLogger("test", "silent") }, "walk");
  await ensureDefaults(ctx, { dataFolder: "/nonexistent" });
  await testDb.db.install.updateMany({ data: { claimedAt: ctx.clock.now() } });
  params = await seed(ctx);
  const { sessionSecret, db } = await createRuntime(env);
  await db.$disconnect();
  people = await everybody(ctx, sessionSecret);
  web = await startWeb(env, port, "/api/livez");
}, 600_000);
afterAll(async () => {
  await web?.kill();
  await keys?.remove();
  await testDb?.drop();
});

/** Route of a page's file: groups in parentheses are no part of it. */
function routeOf(file: string): string {
  const parts = file.split("/").slice(1, -1);
  return `/${parts.filter((part) => !part.startsWith("(")).join("/")}`;
}

/** What the browser gets for an address typed in: "shown", "refused: why", "to /where" or a status. */
async function open(path: string, { cookie }: Person): Promise<{ outcome: string; text: string }> {
  const answer = await fetch(`${web.url}${path}`, { headers: { cookie }, redirect: "manual" });
  const text = await answer.text();
  const to = answer.headers.get("location");
  if (answer.status === 307 && to) return { outcome: `to ${to.replace(web.url, "")}`, text };
  if (answer.status !== 200) return { outcome: String(answer.status), text };
  // The console's frame is sent before the page is made, so these two come inside of it.
  const later = /NEXT_REDIRECT;\w+;([^;]+);307/.exec(text)?.[1];
  const why = REFUSAL.exec(text)?.[0];
  return { outcome: later ? `to ${later}` : why ? `refused: ${why}` : "shown", text };
}

/** What a click on a link to the page fetches, wherever that leads. */
async function click(path: string, { cookie }: Person): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${web.url}${path}?_rsc`, { headers: { cookie, RSC: "1" } });
  return { status: answer.status, text: await answer.text() };
}

test("the walk knows every page", () => {
  const found = globSync("app/**/page.{tsx,ts,jsx,js}", { cwd: ROOT }).map(routeOf);
  expect(found.sort()).toEqual(Object.keys(PAGES).sort());
});

describe.each(Object.entries(PAGES))("%s", (page, forWhom) => {
  test("is shown to whom it is for, and tells nobody more than that", async () => {
    const path = page.replaceAll(/\[(\w+)\]/g, (_, name: string) => {
      const value = params[name];
      if (value === undefined) throw new Error(`The walk has no [${name}]: add one to seed().`);
      return value;
    });
    for (const person of people) {
      const expected =
        typeof forWhom === "function" ? forWhom(person, path) : consolePage(forWhom, person, path);
      const { outcome, text } = await open(path, person);
      expect({ person: person.name, outcome }).toEqual({ person: person.name, outcome: expected });
      const clicked = await click(path, person);
      expect({ person: person.name, status: clicked.status }).toEqual({ person: person.name, status: 200 });
      expect(REFUSAL.test(clicked.text)).toBe(expected.startsWith("refused: "));
      // What people see is fetched from the API, each answer of which is walked as each role.
      expect(`${text}${clicked.text}`).not.toContain(MARK);
    }
  });
});

test("what is no page is said to be none, to those who are signed in", async () => {
  const outcomes = await Promise.all(people.map(async (person) => (await open("/no-such", person)).outcome));
  expect(new Set(outcomes)).toEqual(new Set([toLogin("/no-such"), "404"]));
});
