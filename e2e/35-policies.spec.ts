import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "@playwright/test";
import type { BackupItem } from "../lib/backups/schema.ts";
import type { Page } from "../lib/paging.ts";
import type { PolicyDto, PolicyRunDto, Simulation } from "../lib/policies/schema.ts";
import { cliEnv, holdfast } from "./cli.ts";
import { asAdmin, read, title, write } from "./session.ts";

test.describe.configure({ mode: "serial" });
test.use(asAdmin);

let folder: string;
let env: Record<string, string>;
let run: PolicyRunDto;

test.beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "hf-policies-"));
  chmodSync(folder, 0o755);
  env = await cliEnv("admin");
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function json<T>(...args: string[]): Promise<{ code: number; value: T }> {
  const { code, stdout, stderr } = await holdfast([...args, "--json"], env);
  expect(stdout, stderr).not.toBe("");
  return { code, value: JSON.parse(stdout) as T };
}

test("from the shell: a policy for two databases at two destinations, each backup proven", async ({
  request,
}) => {
  for (const name of ["till-one", "till-two", "stand"]) {
    const file = path.join(folder, `${name}.sqlite`);
    const till = new DatabaseSync(file);
    till.exec("CREATE TABLE sales (id INTEGER PRIMARY KEY, cents INTEGER)");
    till.exec("INSERT INTO sales VALUES (1, 250), (2, 990)");
    till.close();
    const { code, stderr } = await holdfast(
      [
        "database",
        "add",
        "--name",
        name,
        "--engine",
        "sqlite",
        "--url",
        `sqlite://${file}`,
        "--environment",
        "staging",
      ],
      env,
    );
    expect(code, stderr).toBe(0);
  }
  const second = { name: "second", kind: "local", config: { folder: path.join(folder, "second") } };
  expect((await write(request, "POST", "destinations", second)).status()).toBe(201);

  const made = await json<PolicyDto>(
    ...["policy", "create", "--name", "tills", "--databases", "till-one,till-two"],
    ...[
      "--destination",
      "local",
      "--destination",
      "second",
      "--cron",
      "15 2 * * *",
      "--zone",
      "Europe/Berlin",
    ],
    ...["--keep-last", "1", "--keep-proven", "1", "--verify", "each"],
  );
  expect(made).toMatchObject({ code: 0, value: { covers: ["till-one", "till-two"], zone: "Europe/Berlin" } });
  const again = await holdfast(["policy", "create", "--name", "x", "--destination", "local"], env);
  expect(again.code).toBe(2);

  const ran = await json<PolicyRunDto>("policy", "run", "tills", "--wait", "--timeout", "2m");
  expect(ran.code, ran.value.reason ?? "").toBe(0);
  run = ran.value;
  expect(run).toMatchObject({ state: "succeeded", databases: 2, done: 2 });
  for (const { backup } of run.items) {
    expect(backup).toMatchObject({
      policy: "tills",
      proof: { verdict: "proven" },
      copies: [
        { destination: "local", state: "stored" },
        { destination: "second", state: "stored" },
      ],
    });
  }
  const simulated = await json<Simulation>("policy", "simulate", "tills");
  expect(simulated).toMatchObject({ code: 0, value: { deletes: 0, keeps: 2 } });
  expect(simulated.value.nextRuns[0]).toMatch(/T0[01]:15:00\.000Z$/);
});

test("the last good backup is not deleted by hand; a pinned one stays", async () => {
  const id = run.items[0]?.backup?.id ?? "";
  expect((await holdfast(["backup", "delete", id], env)).code).toBe(3);
  const pinned = await json<BackupItem>("backup", "pin", id, "--reason", "for the auditors");
  expect(pinned.value.pin).toMatchObject({ reason: "for the auditors" });
  expect((await holdfast(["policy", "run", "tills", "--wait", "--timeout", "2m"], env)).code).toBe(0);
  // The one that is not pinned goes with its run's retention.
  const other = run.items[1]?.backup?.id ?? "";
  await expect
    .poll(async () => (await json<BackupItem>("backup", "show", other)).value.removal?.removedAt)
    .toEqual(expect.any(String));
  expect((await json<BackupItem>("backup", "show", id)).value.removal).toBeNull();
  expect((await holdfast(["backup", "unpin", id], env)).code).toBe(0);
  expect((await holdfast(["backup", "delete", id, "--wait"], env)).code).toBe(0);
});

test("on the screen: what is not covered, a new policy with its preview, run now, pause", async ({
  page,
}) => {
  await page.goto("/");
  await expect(page.getByRole("region", { name: "Needs attention" })).toContainText("No policy covers");
  await page.getByRole("link", { name: "Policies", exact: true }).click();
  const uncovered = page.getByRole("region", { name: "Not covered" });
  await expect(uncovered.getByRole("table")).toBeVisible();
  await expect(uncovered).toContainText("stand");
  await expect(uncovered).not.toContainText("till-one");

  await page.getByRole("link", { name: "New policy", exact: true }).click();
  await page.getByLabel("Name", { exact: true }).fill("tills-hourly");
  await page.getByLabel("Patterns").fill("till-*");
  await page.getByRole("checkbox", { name: "second" }).check();
  await page.getByLabel("Schedule").selectOption("hours");
  const preview = page.getByRole("complementary", { name: "Preview" });
  await expect(preview.getByRole("list", { name: "Next runs" }).getByRole("listitem")).toHaveCount(5);
  await expect(preview).toContainText("Would delete nothing now");
  await expect(preview).toContainText("till-one: deletes 0");
  await page.getByLabel("Schedule").selectOption("cron");
  await page.getByLabel("Cron expression").fill("0 0 31 2 *");
  await expect(preview).toContainText("Five fields");
  await page.getByRole("button", { name: "Make the policy" }).click();
  await expect(page.getByLabel("Cron expression")).toHaveAttribute("aria-invalid", "true");
  await page.getByLabel("Cron expression").fill("0 4 * * 1");
  await page.getByRole("button", { name: "Make the policy" }).click();
  await expect(page).toHaveURL(/\/policies\/tills-hourly$/);
  await expect(title(page)).toHaveText("tills-hourly has not run yet.");

  await page.getByRole("button", { name: "Run now…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run it" }).click();
  await expect(title(page)).toHaveText("tills-hourly: its last run succeeded.", { timeout: 60_000 });
  await page.getByRole("button", { name: /databases of the run/ }).click();
  await expect(page.getByRole("dialog")).toContainText("till-two");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(title(page)).toHaveText("tills-hourly is paused.");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(title(page)).toHaveText("tills-hourly: its last run succeeded.");
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByLabel("Newest", { exact: true }).fill("9");
  await page.getByLabel("Proven, always", { exact: true }).fill("1");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("the newest 9", { exact: false })).toBeVisible();
});

test("on a backup's page: pin with a reason, unpin, delete with the name typed", async ({
  page,
  request,
}) => {
  const { items } = await read<Page<BackupItem>>(request, "backups?database=till-one");
  expect(items.length).toBeGreaterThan(1);
  await page.goto(`/backups/${items.at(-1)?.id}`);
  await page.getByRole("button", { name: "Pin…" }).click();
  await page.getByRole("button", { name: "Pin it" }).click();
  await expect(page.getByRole("dialog")).toContainText("Say why it is kept.");
  await page.getByLabel("Why it is kept").fill("before the move");
  await page.getByRole("button", { name: "Pin it" }).click();
  await expect(page.getByText("before the move")).toBeVisible();
  await page.getByRole("button", { name: "Unpin" }).click();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("till-one");
  await page.getByRole("dialog").getByRole("button", { name: "Delete it" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(title(page)).toHaveText("This backup was deleted; nothing of it is stored.", {
    timeout: 30_000,
  });
  // Whoever comes later finds the destinations as they were.
  await write(request, "POST", "policies/tills/archive");
  await write(request, "POST", "destinations/second/archive");
});
