import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import { TOTP } from "otpauth";
import { asAdmin, asNobody, problem, signIn, title } from "./session.ts";

const VERA = { name: "Vera Viewer", email: "vera@example.com", password: "a password of her own" };
const ADMIN_PAGES = ["/settings/members", "/settings/tokens", "/settings/keys", "/databases/new"];

let inviteUrl = "";
let hers: BrowserContext;
let her: Page;
/** Of her authenticator, and a code of it that has been used. */
let authenticator: TOTP;
let used = "";
let recoveryCode = "";

test.describe.configure({ mode: "serial" });
test.use(asAdmin);

test.beforeAll(async ({ browser }) => {
  hers = await browser.newContext(asNobody);
  her = await hers.newPage();
});
test.afterAll(async () => {
  await hers.close();
});

/** The admin's dialog for one member. */
async function openMember(page: Page) {
  await page.goto("/settings/members");
  await page
    .getByRole("row", { name: new RegExp(VERA.email) })
    .getByRole("button")
    .click();
  return page.getByRole("dialog", { name: VERA.name });
}

test("an invitation is a link that works once", async ({ page }) => {
  await page.goto("/settings/members");
  await page.getByRole("button", { name: "Invite…" }).click();
  const dialog = page.getByRole("dialog", { name: "Invite a member" });
  await dialog.getByLabel("E-mail").fill(VERA.email);
  await dialog.getByLabel("Name", { exact: true }).fill(VERA.name);
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "viewer" }).click();
  await dialog.getByRole("button", { name: "Make the invitation" }).click();
  inviteUrl = (await page.getByRole("dialog").locator("pre").innerText()).trim();
  expect(inviteUrl).toContain("/invite?token=");
  await page.getByRole("button", { name: "I have it" }).click();
  await expect(page.getByText(VERA.email)).toBeVisible();

  await her.goto(inviteUrl);
  await expect(her.getByRole("heading", { name: `Welcome, ${VERA.name}` })).toBeVisible();
  await her.getByLabel("Password", { exact: true }).fill(VERA.password);
  await her.getByRole("button", { name: "Make my account" }).click();
  await expect(title(her)).toBeVisible();
  await expect(her.getByRole("button", { name: VERA.name })).toBeVisible();

  const again = await hers.newPage();
  await again.goto(inviteUrl);
  await expect(again.getByText("This invitation can't be used")).toBeVisible();
  await again.close();
});

test("a viewer reads everything and is offered no action", async () => {
  await her.goto("/databases");
  await expect(title(her)).toBeVisible();
  await expect(her.getByRole("link", { name: "Register a database" })).toHaveCount(0);
  await her
    .getByRole("row", { name: /journey-production|mine|twice/ })
    .first()
    .getByRole("link")
    .first()
    .click();
  await expect(title(her)).toBeVisible();
  for (const name of ["Back up", "Prove the newest", "Look again"]) {
    await expect(her.getByRole("button", { name, exact: true })).toHaveCount(0);
  }
  await expect(her.getByRole("link", { name: "Restore…" })).toHaveCount(0);
  await her.goto("/backups");
  await expect(her.getByRole("table", { name: "Backups" })).toBeVisible();
  await expect(her.getByRole("button", { name: "Back up…" })).toHaveCount(0);
  await her.goto("/audit");
  await expect(her.getByRole("table", { name: "Audit events" })).toBeVisible();
  await expect(her.getByRole("button", { name: "Export" })).toHaveCount(0);
});

test("every page for admins refuses a viewer, and says whom to ask", async () => {
  await her.goto("/settings/account");
  const parts = her.getByRole("navigation", { name: "Settings" });
  await expect(parts.getByRole("link", { name: "Members" })).toHaveCount(0);
  await expect(parts.getByRole("link", { name: "Workers" })).toBeVisible();
  for (const route of ADMIN_PAGES) {
    await her.goto(route);
    await expect(her.getByText(/needs the role admin/), route).toBeVisible();
  }
});

test("a new role holds from the next request on", async ({ page }) => {
  const dialog = await openMember(page);
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "operator" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("row", { name: new RegExp(`${VERA.email}.*operator`) })).toBeVisible();
  await her.goto("/backups");
  await expect(her.getByRole("button", { name: "Back up…" })).toBeVisible();
});

test("a second factor is set up with an authenticator", async () => {
  await her.goto("/settings/account");
  await her.getByRole("button", { name: "Set up a second factor…" }).click();
  const dialog = her.getByRole("dialog", { name: "Set up a second factor" });
  await dialog.getByLabel("Your password").fill("a guess");
  await dialog.getByRole("button", { name: "Go on" }).click();
  await expect(dialog.getByText("not your password", { exact: true })).toBeVisible();
  await dialog.getByLabel("Your password").fill(VERA.password);
  await dialog.getByRole("button", { name: "Go on" }).click();
  await expect(her.getByLabel("QR code for your authenticator app")).toBeVisible();
  const secret = (await her.locator("pre").first().innerText()).trim();
  authenticator = new TOTP({ secret });
  await her.getByLabel("Code", { exact: true }).fill("000000");
  await her.getByRole("button", { name: "Turn it on" }).click();
  await expect(problem(her)).toBeVisible();
  used = authenticator.generate();
  await her.getByLabel("Code", { exact: true }).fill(used);
  await her.getByRole("button", { name: "Turn it on" }).click();
  await expect(
    her.getByText("Keep these recovery codes away from this machine.", { exact: false }),
  ).toBeVisible();
  [recoveryCode = ""] = (await her.locator("pre").first().innerText()).trim().split("\n");
  await her.getByRole("button", { name: "I have them" }).click();
  await expect(title(her)).toHaveText(`${VERA.name}, signed in with two factors.`);
});

test("from then on the password alone and a used code open nothing", async ({ browser }) => {
  const context = await browser.newContext(asNobody);
  const page = await context.newPage();
  await signIn(page, VERA);
  await expect(problem(page)).toContainText("E-mail, password or code is wrong.");
  await signIn(page, { ...VERA, code: used });
  await expect(problem(page)).toContainText("E-mail, password or code is wrong.");
  await context.close();
});

test("a recovery code opens it once, and so does the authenticator's next code", async ({ browser }) => {
  // A clock that is a little ahead may send the next code already.
  const soon = Date.now() + authenticator.period * 1000;
  for (const code of [recoveryCode, authenticator.generate({ timestamp: soon })]) {
    const context = await browser.newContext(asNobody);
    const page = await context.newPage();
    await signIn(page, { ...VERA, code });
    await expect(page.getByRole("button", { name: VERA.name })).toBeVisible();
    await context.close();
  }
});

test("disabling an account ends its sessions at once, in the open page, too", async ({ page }) => {
  await her.goto("/backups");
  await expect(her.getByRole("complementary").getByRole("status")).toHaveText("Live");
  const dialog = await openMember(page);
  await dialog.getByRole("button", { name: "Disable…" }).click();
  await dialog.getByRole("button", { name: "Disable", exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole("row", { name: new RegExp(`${VERA.email}.*disabled`) })).toBeVisible();
  expect((await her.request.get("/api/v1/me")).status()).toBe(401);
  await expect(her).toHaveURL(/\/login/, { timeout: 45_000 });
  await signIn(her, VERA);
  await expect(problem(her)).toContainText("E-mail, password or code is wrong.");
});

test("an API token is shown once, works, and is refused after it is revoked", async ({
  page,
  playwright,
}) => {
  await page.goto("/settings/tokens");
  await page.getByRole("button", { name: "New token…" }).click();
  const dialog = page.getByRole("dialog", { name: "New API token" });
  await dialog.getByLabel("Name", { exact: true }).fill("nightly checks");
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "viewer" }).click();
  await dialog.getByRole("combobox", { name: "Only these applications" }).fill("journey");
  await page.keyboard.press("Enter");
  // Leaves the field, whose list of other applications may cover the button.
  await page.keyboard.press("Tab");
  await dialog.getByRole("button", { name: "Make the token" }).click();
  const shown = page.getByRole("dialog", { name: "Your new token" });
  const token = (await shown.locator("pre").innerText()).trim();
  expect(token).toMatch(/^hf_/);
  await shown.getByRole("button", { name: "I have it" }).click();
  await expect(shown).toHaveCount(0);
  await page.reload();
  const row = page.getByRole("row", { name: /nightly checks/ });
  await expect(row).toContainText("only application journey");
  await expect(row).toContainText("never");
  expect(await page.content()).not.toContain(token);

  const api = await playwright.request.newContext({
    ...asNobody,
    extraHTTPHeaders: { authorization: `Bearer ${token}` },
  });
  const databases = await api.get("/api/v1/databases");
  expect(databases.status()).toBe(200);
  const { items } = (await databases.json()) as { items: { application: string }[] };
  expect([...new Set(items.map(({ application }) => application))]).toEqual(["journey"]);
  expect((await api.post("/api/v1/keys/rotate", { data: {} })).status()).toBe(403);
  await page.reload();
  await expect(row).toContainText("just now");
  await row.getByRole("button", { name: "Revoke…" }).click();
  await page.getByRole("button", { name: "Revoke it" }).click();
  await expect(row).toHaveCount(0);
  expect((await api.get("/api/v1/databases")).status()).toBe(401);
  await api.dispose();
});
