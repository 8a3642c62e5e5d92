import { expect, test } from "@playwright/test";
import type { BackupItem } from "../lib/backups/schema.ts";
import type { Page } from "../lib/paging.ts";
import { startTestPostgres, type TestPostgres } from "../lib/testing/postgres.ts";
import { fillShop } from "./sample-data.ts";
import { asAdmin, problem, read, title, write } from "./session.ts";

let server: TestPostgres;

test.describe.configure({ mode: "serial" });
test.use(asAdmin);

test.beforeAll(async () => {
  server = await startTestPostgres();
  await fillShop(server, "twice");
});
test.afterAll(async () => {
  await server.stop();
});

test("two clicks, a double click, a second tab: one backup", async ({ page, context }) => {
  const url = new URL(server.url("twice"));
  const made = await write(page.request, "POST", "databases", {
    name: "twice",
    engine: "postgres",
    environment: "staging",
    connection: {
      host: url.hostname,
      port: Number(url.port),
      database: "twice",
      user: url.username,
      tls: "disable",
    },
    password: url.password,
  });
  expect(made.status()).toBe(201);

  // The first run waits for this lock, so that every later click meets it.
  const blocker = await server.client("twice");
  await blocker.query("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
  try {
    const other = await context.newPage();
    await page.goto("/databases/twice");
    await other.goto("/databases/twice");
    await page.getByRole("button", { name: "Back up", exact: true }).dblclick();
    await expect(page).toHaveURL(/\/backups\//);
    await expect(title(page)).toHaveText("This backup is being made.");

    // The other tab is told of the run that is under way, or is taken to it.
    await other.getByRole("button", { name: "Back up", exact: true }).click();
    await expect(problem(other).or(title(other).getByText("This backup is being made."))).toBeVisible();
    const { items } = await read<Page<BackupItem>>(page.request, "backups?database=twice");
    expect(items).toHaveLength(1);
  } finally {
    await blocker.end();
  }
  await expect(title(page)).toHaveText("This backup restores to exactly what was dumped.", {
    timeout: 60_000,
  });
  const { items } = await read<Page<BackupItem>>(page.request, "backups?database=twice");
  expect(items).toHaveLength(1);
});
