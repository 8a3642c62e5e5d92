import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, type Page, test } from "@playwright/test";
import type { BackupDto } from "../lib/backups/schema.ts";
import { startTestPostgres, type TestPostgres } from "../lib/testing/postgres.ts";
import { fillShop } from "./sample-data.ts";
import { asAdmin, DATA_FOLDER, problem, read, title } from "./session.ts";

let server: TestPostgres;
/** Of the backup that the journey is about. */
let backupId = "";

test.describe.configure({ mode: "serial" });
test.use(asAdmin);

test.beforeAll(async () => {
  server = await startTestPostgres();
  await fillShop(server, "journey");
});
test.afterAll(async () => {
  await server.stop();
});

function calendarOf(page: Page) {
  return page.getByRole("grid", { name: "Backups of journey-production by day" });
}

async function openBackup(page: Page): Promise<void> {
  await page.goto(`/backups/${backupId}`);
  await expect(title(page)).toContainText("This backup");
}

test("a database is registered from a pasted URL, once its connection has been tested", async ({ page }) => {
  await page.goto("/databases");
  await page.getByRole("link", { name: "Register a database" }).first().click();
  const url = new URL(server.url("journey"));
  const password = decodeURIComponent(url.password);
  url.password = "not-the-password";
  await page.getByLabel("Paste a URL").fill(url.href);
  await expect(page.getByLabel("Server")).toHaveValue("127.0.0.1");
  await expect(page.getByLabel("Port")).toHaveValue(String(server.port));
  await expect(page.getByLabel("User", { exact: true })).toHaveValue("postgres");
  await expect(page.getByLabel("Paste a URL")).toHaveValue("");

  await page.getByRole("button", { name: "Test the connection" }).click();
  await expect(page.getByText(/does not accept the password of user postgres/)).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Test the connection" }).click();
  await expect(page.getByText(/answers in/)).toBeVisible();

  await page.getByLabel("Name", { exact: true }).fill("journey-production");
  await page.getByLabel("Environment", { exact: true }).selectOption("production");
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page).toHaveURL(/\/databases\/journey-production$/);
  await expect(page.getByText(/\d+\schecks? passed/)).toBeVisible();
  expect(await page.content()).not.toContain(password);
});

test("a click backs it up; the page follows it to its proof without a reload, and so does the calendar", async ({
  page,
  context,
}) => {
  const watching = await context.newPage();
  await watching.goto("/databases/journey-production");
  await expect(watching.getByText(/Nothing was backed up in the last year/)).toBeVisible();

  // The dump waits for this lock, so that its progress can be looked at.
  const blocker = await server.client("journey");
  await blocker.query("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
  try {
    await page.goto("/databases/journey-production");
    await page.getByRole("button", { name: "Back up", exact: true }).click();
    await expect(page).toHaveURL(/\/backups\/[0-9a-f-]{36}$/);
    backupId = page.url().split("/").at(-1) ?? "";
    await expect(title(page)).toHaveText("This backup is being made.");
    await expect(page.getByRole("heading", { name: "Back up journey-production" })).toBeVisible();
    await expect(page.getByRole("link", { name: /^1\srunning$/ })).toBeVisible();
    await page.evaluate(() => {
      document.documentElement.dataset.kept = "yes";
    });
  } finally {
    await blocker.end();
  }
  await expect(title(page)).toHaveText("This backup restores to exactly what was dumped.", {
    timeout: 60_000,
  });
  await expect(page.locator("html")).toHaveAttribute("data-kept", "yes");

  await expect(calendarOf(watching).getByRole("link", { name: /: 1 proven$/ })).toBeVisible();
  await watching.close();

  const orders = page.getByRole("row", { name: /public\.orders/ });
  await expect(orders).toContainText("20,000");
  await expect(orders).toContainText("content");
  await expect(orders).toContainText("equal");
  const tables = page.getByRole("table", { name: "Tables of this backup" });
  await expect(tables.getByRole("row").filter({ hasText: "public." })).toHaveCount(2);
  await expect(page.getByText("2 of 2")).toBeVisible();
  await expect(page.getByText("1 stored")).toBeVisible();
  await expect(page.getByText(/age -d -i .* \| zstd -d .*pg_restore/)).toBeVisible();

  await page.getByRole("link", { name: "Overview" }).click();
  const row = page.getByRole("row", { name: /journey-production/ });
  await expect(row).toContainText("proven");
  await row.getByRole("link", { name: /proven/ }).click();
  await expect(page).toHaveURL(new RegExp(backupId));
});

test("the calendar is walked with the keyboard, and a day opens its backups", async ({ page }) => {
  await page.goto("/databases/journey-production");
  const calendar = calendarOf(page);
  const today = calendar.getByRole("link", { name: /: 1 proven$/ });
  await expect(page.getByText("days of Europe/Berlin")).toBeVisible();
  await expect(page.getByText(/^A proven backup on 1 of 1\sday$/)).toBeVisible();
  await today.focus();
  const card = page.getByRole("tooltip");
  await expect(card).toContainText("1 proven");
  await page.keyboard.press("Escape");
  await expect(card).toHaveCount(0);
  // There is no day before the first: the focus stays.
  await page.keyboard.press("ArrowLeft");
  await expect(today).toBeFocused();
  await page.keyboard.press("Enter");

  await expect(page).toHaveURL(/\/backups\?database=journey-production&day=\d{4}-\d\d-\d\d$/);
  const rows = page.getByRole("table", { name: "Backups" }).getByRole("row", { name: /journey-production/ });
  await expect(rows).toHaveCount(1);
  await expect(rows).toContainText("proven");
  await page.getByLabel("Day", { exact: true }).fill("2001-02-03");
  await expect(page.getByText("No backups match these filters")).toBeVisible();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(page).toHaveURL(/\/backups$/);
  await expect(rows).toHaveCount(1);
});

test("the operation's page has its steps and a log that can be searched and linked to", async ({ page }) => {
  await openBackup(page);
  await page.getByRole("region", { name: "Proof" }).getByRole("link", { name: "Steps and log" }).click();
  await expect(title(page)).toHaveText("Prove journey-production: succeeded");
  const steps = page.getByRole("region", { name: "Steps" });
  await expect(steps.getByRole("img", { name: "succeeded" }).first()).toBeVisible();
  const log = page.getByRole("log", { name: "Log of this operation" });
  const lines = log.getByRole("link", { name: /^Link to line/ });
  await expect(lines.first()).toBeVisible();
  const all = await lines.count();
  await page.getByRole("textbox", { name: "Search the log" }).fill("no line says this");
  await expect(page.getByText("No line has this text.")).toBeVisible();
  await page.getByRole("textbox", { name: "Search the log" }).fill("");
  await expect(lines).toHaveCount(all);
  await lines.first().click();
  await expect(page).toHaveURL(/#line-\d+$/);
});

test("the wizard restores it into a new database, equal to the manifest", async ({ page }) => {
  await openBackup(page);
  await page.getByRole("link", { name: "Restore…" }).click();
  await page.getByLabel("Name of the new database").fill("Journey Again");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByText("Use 1 to 63 lower-case letters, digits, _ and -.")).toBeVisible();
  await expect(page.getByLabel("Name of the new database")).toBeFocused();
  await page.getByLabel("Name of the new database").fill("journey_again");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(
    page.getByText("Make the database journey_again on the server of journey-production."),
  ).toBeVisible();
  await page.getByRole("button", { name: "Restore into journey_again" }).click();
  await expect(page).toHaveURL(/\/operations\//);
  await expect(title(page)).toHaveText(/: succeeded$/, { timeout: 60_000 });
  const client = await server.client("journey_again");
  try {
    const { rows } = await client.query("SELECT count(*)::int AS n FROM orders");
    expect(rows).toEqual([{ n: 20_000 }]);
  } finally {
    await client.end();
  }
});

test("restoring over a database asks for its name and says what is lost", async ({ page }) => {
  await openBackup(page);
  await page.getByRole("link", { name: "Restore…" }).click();
  await page.getByRole("radio", { name: /Over an existing database/ }).click();
  await page.getByLabel("Database to replace").selectOption("journey-production");
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByText(/Without that safety backup nothing is replaced/)).toBeVisible();
  await page.getByLabel("Type journey-production to replace it").fill("journey");
  await page.getByRole("button", { name: "Replace journey-production" }).click();
  await expect(page.getByText("This is not journey-production.")).toBeVisible();
  await expect(page).toHaveURL(/\/restore$/);
});

test("a flipped byte is found by Prove again, and page, Overview and navigation say so", async ({ page }) => {
  await openBackup(page);
  const backup = await read<BackupDto>(page.request, `backups/${backupId}`);
  const dump = backup.artefacts.find((artefact) => artefact.name === "dump");
  const file = path.join(DATA_FOLDER, "backups", backup.copies[0]?.path ?? "", dump?.file ?? "");
  const bytes = readFileSync(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);

  await page.getByRole("button", { name: "Prove again" }).click();
  await expect(title(page)).toContainText("This backup does not restore to what was dumped", {
    timeout: 60_000,
  });
  await expect(page.getByRole("table", { name: "Copies" })).toContainText("altered");
  await expect(page.getByRole("link", { name: /Overview.*1\sproblem/ })).toBeVisible();
  await page.getByRole("link", { name: /Overview/ }).click();
  await expect(title(page)).toContainText("journey-production");
  await expect(page.getByRole("region", { name: "Needs attention" })).toContainText("journey-production");
  await page.goto("/backups?verdict=failed");
  await expect(title(page)).toContainText(/1\sbackup did not restore to what was dumped/);
  await expect(page.getByRole("row", { name: /journey-production/ })).toContainText("failed to prove");
});

test("the audit log tells all of it, and its chain is whole", async ({ page }) => {
  await page.goto("/audit");
  const table = page.getByRole("table", { name: "Audit events" });
  for (const action of ["database.create", "backup.run", "backup.restore", "backup.verify"]) {
    const row = table.getByRole("row", { name: new RegExp(`Ada Admin.*${action.replace(".", "\\.")}`) });
    await expect(row.first(), action).toBeVisible();
  }
  await page.getByRole("combobox", { name: "Action" }).selectOption("database.create");
  await expect(page).toHaveURL(/action=database\.create/);
  await expect(table.getByRole("row", { name: /backup\.run/ })).toHaveCount(0);
  await table
    .getByText(/^\d+\sfields$/)
    .first()
    .click();
  await expect(table.getByText("journey-production").first()).toBeVisible();
  await expect(table).not.toContainText("test-Password");
  await page.getByRole("button", { name: "Check the chain" }).click();
  await expect(page.getByText(/The chain is whole/)).toBeVisible();
  await expect(problem(page)).toHaveCount(0);
});
