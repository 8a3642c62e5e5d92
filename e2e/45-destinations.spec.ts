import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";
import { type SshServer, startSshServer } from "../lib/storage/sftp/testing/sshd.ts";
import { asAdmin, title } from "./session.ts";

let server: SshServer;

test.describe.configure({ mode: "serial" });
test.use(asAdmin);
test.beforeAll(async () => {
  server = await startSshServer();
});
test.afterAll(() => server.cleanUp());

async function openForm(page: Page, kind: string) {
  await page.goto("/settings/destinations");
  await page.getByRole("button", { name: "New destination…" }).click();
  const dialog = page.getByRole("dialog", { name: "New destination" });
  await dialog.getByText(kind, { exact: true }).click();
  return dialog;
}

test("a bucket that can't be reached is not saved; the reason stands beside the endpoint", async ({
  page,
}) => {
  const dialog = await openForm(page, "S3 bucket");
  await dialog.getByLabel("Name", { exact: true }).fill("offsite");
  await dialog.getByRole("button", { name: "Test and add" }).click();
  for (const label of ["Region", "Bucket", "Access key"]) {
    await expect(dialog.getByLabel(label, { exact: true })).toHaveAttribute("aria-invalid", "true");
  }
  await expect(dialog.getByText("Give the secret key.")).toBeVisible();
  await dialog.getByLabel("Endpoint").fill("http://127.0.0.1:9");
  await dialog.getByLabel("Region").fill("us-east-1");
  await dialog.getByLabel("Bucket", { exact: true }).fill("nightly");
  await dialog.getByLabel("Access key").fill("ACCESS");
  await dialog.getByLabel("Secret key", { exact: true }).fill("secret");
  await dialog.getByRole("button", { name: "Test and add" }).click();
  const endpoint = dialog.getByLabel("Endpoint");
  await expect(endpoint).toHaveAttribute("aria-invalid", "true", { timeout: 30_000 });
  await expect(endpoint).toBeFocused();
  await expect(dialog.getByText(/127\.0\.0\.1:9 can't be reached/).first()).toBeVisible();
  const { violations } = await new AxeBuilder({ page })
    .include('[role="dialog"]')
    .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});

test("an SFTP server: its key is read and pinned, it is tested, edited and archived", async ({ page }) => {
  const dialog = await openForm(page, "SFTP server");
  await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("vault");
  await dialog.getByRole("textbox", { name: "Server", exact: true }).fill(server.config.host);
  await dialog.getByRole("textbox", { name: "Port", exact: true }).fill(String(server.config.port));
  await dialog.getByRole("textbox", { name: "Folder", exact: true }).fill(server.config.folder);
  await dialog.getByRole("textbox", { name: "User", exact: true }).fill(server.config.user);
  await dialog.getByRole("textbox", { name: "Private key", exact: true }).fill(server.privateKey);
  await dialog.getByRole("button", { name: "Test and add" }).click();
  await expect(dialog.getByRole("textbox", { name: "Host key", exact: true })).toHaveAttribute(
    "aria-invalid",
    "true",
  );
  await dialog.getByRole("button", { name: "Read it from the server" }).click();
  await expect(dialog.getByRole("textbox", { name: "Host key", exact: true })).toHaveValue(
    server.config.hostKey,
  );
  await dialog.getByRole("button", { name: "Test and add" }).click();
  await expect(dialog).toHaveCount(0);

  const row = page.getByRole("row", { name: /vault/ });
  await expect(row).toContainText("on this host");
  await row.getByRole("button", { name: "Test vault" }).click();
  await expect(page.getByText("vault answers")).toBeVisible();
  await server.stop();
  await row.getByRole("button", { name: "Test vault" }).click();
  await expect(page.getByText("vault failed its test")).toBeVisible();
  await expect(title(page)).toContainText("vault does not answer");
  await server.start();

  await row.getByRole("button", { name: "Edit vault" }).click();
  const edit = page.getByRole("dialog", { name: "Edit the destination vault" });
  await expect(edit.getByRole("textbox", { name: "Folder", exact: true })).toBeDisabled();
  await edit.getByRole("textbox", { name: "Name", exact: true }).fill("cellar");
  await edit.getByRole("button", { name: "Test and save" }).click();
  await expect(edit).toHaveCount(0);
  const renamed = page.getByRole("row", { name: /cellar/ });
  await renamed.getByRole("button", { name: "Test cellar" }).click();
  await expect(page.getByText("cellar answers")).toBeVisible();
  await renamed.getByRole("button", { name: "Archive cellar" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Archive it" }).click();
  await expect(renamed).toContainText("archived");
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test("the form fits", async ({ page }) => {
    const dialog = await openForm(page, "SFTP server");
    await expect(dialog.getByRole("textbox", { name: "Host key", exact: true })).toBeVisible();
    expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0);
  });
});
