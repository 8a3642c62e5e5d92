import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { allPages } from "./pages.ts";
import { asAdmin, asNobody, title, URL_UNDER_TEST } from "./session.ts";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const LISTS = ["/databases", "/backups", "/operations", "/audit", "/settings/tokens"];
/** A failed read is tried again before it is told, so that each takes its time. */
const FAILING = ["/backups"];

test.use(asAdmin);

type Scheme = "light" | "dark";

/** What is wrong on the page as it is now, in short sentences. In dark only colours can differ. */
async function faults(page: Page, where: string, scheme: Scheme = "light"): Promise<string[]> {
  const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] });
  const chosen = scheme === "light" ? axe.withTags(RULES) : axe.withRules(["color-contrast"]);
  const { violations } = await chosen.analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${where}: ${id} at ${node.target.join(" ")} (${node.failureSummary ?? ""})`),
  );
}

async function open(page: Page, route: string): Promise<void> {
  await page.goto(route);
  await expect(title(page)).toBeVisible();
  await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
}

for (const scheme of ["light", "dark"] as const) {
  test.describe(`in ${scheme}`, () => {
    test.use({ colorScheme: scheme });

    test("every page has no fault that axe knows of WCAG 2.2 AA, and throws none", async ({ page }) => {
      test.setTimeout(180_000);
      const found: string[] = [];
      page.on("pageerror", (error) => found.push(`${page.url()}: ${error.message}`));
      await page.addInitScript(
        (value) => window.localStorage.setItem("mantine-color-scheme-value", value),
        scheme,
      );
      for (const route of await allPages(page.request)) {
        await open(page, route);
        await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", scheme);
        found.push(...(await faults(page, route, scheme)));
      }
      expect(found).toEqual([]);
    });

    test("so have lists that are empty or could not be read, and open dialogs", async ({ page }) => {
      const found: string[] = [];
      await page.addInitScript(
        (value) => window.localStorage.setItem("mantine-color-scheme-value", value),
        scheme,
      );
      const api = new RegExp(`/api/v1${"(/databases|/backups|/operations|/audit|/tokens)"}\\?`);
      await page.route(api, (route) => route.fulfill({ json: { items: [], nextCursor: null } }));
      for (const route of LISTS) {
        await open(page, route);
        found.push(...(await faults(page, `${route} empty`, scheme)));
      }
      await page.unroute(api);
      await page.route(api, (route) =>
        route.fulfill({
          status: 500,
          contentType: "application/problem+json",
          json: { title: "The server failed", status: 500, requestId: "01a1fc50" },
        }),
      );
      for (const route of FAILING) {
        await page.goto(route);
        await expect(page.getByRole("button", { name: "Try again" })).toBeVisible({ timeout: 30_000 });
        found.push(...(await faults(page, `${route} failed`, scheme)));
      }
      await page.unroute(api);

      await open(page, "/settings/tokens");
      await page.getByRole("button", { name: "New token…" }).click();
      await expect(page.getByRole("dialog", { name: "New API token" })).toBeVisible();
      await expect(page.getByRole("dialog").getByLabel("Name", { exact: true })).toBeFocused();
      found.push(...(await faults(page, "new token", scheme)));
      await page.getByRole("button", { name: "Make the token" }).click();
      await expect(page.getByRole("dialog").getByRole("alert")).toBeVisible();
      found.push(...(await faults(page, "new token, refused", scheme)));
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+k");
      await expect(page.getByRole("dialog").getByPlaceholder("Search or jump to…")).toBeFocused();
      found.push(...(await faults(page, "palette", scheme)));
      expect(found).toEqual([]);
    });
  });
}

test.describe("signed out", () => {
  test.use(asNobody);
  test("the sign-in page has none either", async ({ page }) => {
    await page.goto("/login");
    await expect(title(page)).toBeVisible();
    expect(await faults(page, "/login")).toEqual([]);
  });
});

test("the keyboard alone leads everywhere", async ({ page }) => {
  await open(page, "/");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#main")).toBeFocused();

  // Palette: opened, typed into, followed.
  await page.keyboard.press("Control+k");
  const search = page.getByRole("dialog").getByPlaceholder("Search or jump to…");
  await expect(search).toBeFocused();
  await search.pressSequentially("ledger");
  await expect(page.getByRole("button", { name: /Operations/ }).last()).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${URL_UNDER_TEST}/operations`);

  // A row of a list is one stop, and opens with Enter.
  const row = page.getByRole("table", { name: "Operations" }).getByRole("link").first();
  await row.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
  await page.goBack();
  await expect(page).toHaveURL(`${URL_UNDER_TEST}/operations`);
});

test("a dialog keeps the focus and gives it back", async ({ page }) => {
  await open(page, "/backups");
  const opener = page.getByRole("button", { name: "Back up…" });
  await opener.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Back up a database" });
  await expect(dialog).toBeVisible();
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press("Tab");
    await expect(dialog.locator(":focus")).toHaveCount(1);
  }
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(opener).toBeFocused();
});
