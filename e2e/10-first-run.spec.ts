import { expect, test } from "@playwright/test";
import { ADMIN, ADMIN_STATE, asNobody, problem, signIn, title, URL_UNDER_TEST } from "./session.ts";

const TOKEN = process.env.HOLDFAST_E2E_CLAIM_TOKEN ?? "";

test.describe.configure({ mode: "serial" });
test.use(asNobody);

async function claim(page: import("@playwright/test").Page, token: string, email: string): Promise<void> {
  await page.goto(`/setup?token=${token}`);
  await page.getByLabel("Your name").fill(ADMIN.name);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
  await page.getByRole("button", { name: "Make the account" }).click();
}

test("nobody gets in before the install is claimed, and a wrong token claims nothing", async ({
  page,
  request,
}) => {
  await page.goto("/databases");
  await expect(page).toHaveURL(/\/setup$/);
  await claim(page, "not-the-printed-token-at-all", "mallory@example.com");
  await expect(problem(page)).toContainText(/token/i);
  await expect(page).toHaveURL(/\/setup/);
  expect((await request.get("/api/v1/databases")).status()).toBe(401);
});

test("the printed token makes the first account, and the recovery kit is made and confirmed", async ({
  page,
}) => {
  await claim(page, TOKEN, ADMIN.email);
  await expect(page).toHaveURL(/\/setup\/recovery-kit$/);
  await page.getByRole("button", { name: "Make the recovery kit" }).click();
  const identity = page.locator("pre").filter({ hasText: /^AGE-SECRET-KEY-/ });
  await expect(identity).toBeVisible();
  const key = (await identity.innerText()).trim();

  await page.getByLabel("Last 8 characters of the identity").fill("WRONGWRO");
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(problem(page)).toBeVisible();
  await page.getByLabel("Last 8 characters of the identity").fill(key.slice(-8));
  await page.getByRole("button", { name: "I have it" }).click();

  await expect(page).toHaveURL(`${URL_UNDER_TEST}/`);
  await expect(title(page)).toHaveText("No database is registered yet.");
  const steps = page.getByRole("region", { name: "First steps" });
  await expect(steps.getByRole("listitem").filter({ hasText: "Keep the recovery kit" })).toContainText(
    "With it your backups open",
  );
  await expect(steps.getByRole("link", { name: "Register a database" })).toBeVisible();
  await page.reload();
  await expect(page.getByText(key)).toHaveCount(0);
});

test("nobody else can claim it, neither with the used token nor without one", async ({ page, request }) => {
  await page.goto(`/setup?token=${TOKEN}`);
  await expect(page).toHaveURL(/\/login/);
  const again = await request.post("/api/v1/claim", {
    data: { token: TOKEN, name: "Mallory", email: "mallory@example.com", password: ADMIN.password },
    headers: { origin: URL_UNDER_TEST },
  });
  expect(again.status()).toBeGreaterThanOrEqual(400);
  expect(again.status()).toBeLessThan(500);
});

test("signing out ends it; a wrong password tells nothing; the right one goes on where one was", async ({
  page,
  context,
}) => {
  await signIn(page, ADMIN);
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  await page.getByRole("button", { name: ADMIN.name }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/login/);
  expect((await page.request.get("/api/v1/me")).status()).toBe(401);

  await signIn(page, { email: ADMIN.email, password: "not my password" });
  const known = problem(page);
  await expect(known).toContainText("E-mail, password or code is wrong.");
  const words = await known.innerText();
  await signIn(page, { email: "nobody@example.com", password: "not my password" });
  await expect(problem(page)).toHaveText(words, { useInnerText: true });

  await page.goto("/audit");
  await expect(page).toHaveURL(/\/login\?callbackUrl=/);
  await page.getByLabel("E-mail").fill(ADMIN.email);
  await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/audit$/);
  await context.storageState({ path: ADMIN_STATE });
});
