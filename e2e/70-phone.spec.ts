import { expect, test } from "@playwright/test";
import { allPages } from "./pages.ts";
import { ADMIN, asAdmin, asNobody, read, title } from "./session.ts";

test.use({ ...asAdmin, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

test("nothing scrolls sideways on a phone", async ({ page }) => {
  const wide: string[] = [];
  for (const route of await allPages(page.request)) {
    await page.goto(route);
    await expect(title(page)).toBeVisible();
    await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (beyond > 0) wide.push(`${route}: ${beyond} px`);
  }
  expect(wide).toEqual([]);
});

test("the navigation opens, leads on and closes; the way to an action is the same as on a desk", async ({
  page,
}) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Open the navigation" }).tap();
  const drawer = page.getByRole("dialog", { name: "Navigation" });
  await drawer.getByRole("link", { name: "Backups" }).tap();
  await expect(page).toHaveURL(/\/backups$/);
  await expect(drawer).toHaveCount(0);
  await page.getByRole("button", { name: "Back up…" }).tap();
  await expect(page.getByRole("dialog", { name: "Back up a database" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect((await read<{ email: string }>(page.request, "me")).email).toBe(ADMIN.email);
});

test.describe("signed out", () => {
  test.use(asNobody);
  test("signing in fits the phone", async ({ page }) => {
    await page.goto("/login");
    await expect(page.getByRole("button", { name: "Sign in" })).toBeInViewport();
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond).toBeLessThanOrEqual(0);
  });
});
