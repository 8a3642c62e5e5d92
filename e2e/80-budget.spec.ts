import { gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";
import { asAdmin, title } from "./session.ts";

const BUDGET_BYTES = 230_000;

/** Pages without charts. */
const ROUTES = [
  "/",
  "/databases",
  "/databases/new",
  "/backups",
  "/policies",
  "/policies/new",
  "/operations",
  "/audit",
  "/settings/account",
  "/settings/members",
  "/settings/tokens",
  "/settings/environments",
  "/settings/destinations",
  "/settings/keys",
  "/settings/workers",
];

test.use(asAdmin);

test("the first load of every page without charts stays within 230 kB of JavaScript, gzipped", async ({
  browser,
}) => {
  const sizes: Record<string, number> = {};
  const known = new Map<string, number>();
  for (const route of ROUTES) {
    const context = await browser.newContext(asAdmin);
    const page = await context.newPage();
    await page.goto(route);
    await expect(title(page)).toBeVisible();
    // What the page asks for before anything is done: its script elements.
    const scripts = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLScriptElement>("script[src]")]
        .filter((script) => !script.noModule)
        .map((script) => script.src),
    );
    let bytes = 0;
    for (const source of new Set(scripts)) {
      if (!known.has(source)) {
        const response = await page.request.get(source);
        expect(response.ok(), source).toBe(true);
        known.set(source, gzipSync(await response.body()).length);
      }
      bytes += known.get(source) ?? 0;
    }
    sizes[route] = bytes;
    await context.close();
  }
  const over = Object.entries(sizes).filter(([, bytes]) => bytes > BUDGET_BYTES);
  expect(over, JSON.stringify(sizes)).toEqual([]);
});
