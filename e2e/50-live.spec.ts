import { type BrowserContext, expect, type Page, type Request, test } from "@playwright/test";
import { asAdmin, write } from "./session.ts";

const TABS = 8;

test.describe.configure({ mode: "serial" });
test.use(asAdmin);

/** Open streams of live events by tab, as the browser sees them. */
function watchStreams(context: BrowserContext): Map<Request, Page> {
  const open = new Map<Request, Page>();
  const end = (request: Request) => open.delete(request);
  context.on("request", (request) => {
    if (new URL(request.url()).pathname !== "/api/v1/events") return;
    const page = request.frame().page();
    open.set(request, page);
    page.once("close", () => end(request));
  });
  context.on("requestfinished", end);
  context.on("requestfailed", end);
  return open;
}

test("a change shows in every tab over one stream, which passes on when its tab is closed", async ({
  context,
}) => {
  const streams = watchStreams(context);
  const tabs: Page[] = [];
  for (let index = 0; index < TABS; index += 1) {
    const tab = await context.newPage();
    await tab.goto("/settings/environments");
    await expect(tab.getByRole("table", { name: "Environments" })).toBeVisible();
    tabs.push(tab);
  }
  await Promise.all(
    tabs.map((tab) => expect(tab.getByRole("complementary").getByRole("status")).toHaveText("Live")),
  );
  expect(streams.size).toBe(1);

  const [first] = tabs;
  if (!first) throw new Error("no tab");
  expect((await write(first.request, "POST", "environments", { name: "preview" })).status()).toBe(201);
  await Promise.all(
    tabs.map((tab) => expect(tab.getByRole("cell", { name: "preview", exact: true })).toBeVisible()),
  );
  expect(streams.size).toBe(1);

  const [leader] = streams.values();
  await leader?.close();
  const left = tabs.filter((tab) => !tab.isClosed());
  expect(left).toHaveLength(TABS - 1);
  await expect.poll(() => streams.size).toBe(1);
  const [request] = left;
  expect((await write(request?.request ?? first.request, "DELETE", "environments/preview")).ok()).toBe(true);
  await Promise.all(
    left.map((tab) => expect(tab.getByRole("cell", { name: "preview", exact: true })).toHaveCount(0)),
  );
  expect(streams.size).toBe(1);
});

test("the audit log in an open page grows with each change", async ({ page }) => {
  await page.goto("/audit?objectKind=environment");
  await expect(page.getByRole("complementary").getByRole("status")).toHaveText("Live");
  const row = (action: string) =>
    page.getByRole("row", { name: new RegExp(`environment\\.${action} watched`) });
  expect((await write(page.request, "POST", "environments", { name: "watched" })).status()).toBe(201);
  await expect(row("create")).toBeVisible();
  expect((await write(page.request, "DELETE", "environments/watched")).ok()).toBe(true);
  await expect(row("delete")).toBeVisible();
});

test("without a stream the page says so, and catches up with what happened when it comes back", async ({
  page,
}) => {
  await page.route("**/api/v1/events", (route) => route.abort());
  await page.goto("/settings/environments");
  const live = page.getByRole("complementary").getByRole("status");
  await expect(live).toHaveText("Reconnecting");
  expect((await write(page.request, "POST", "environments", { name: "meanwhile" })).status()).toBe(201);
  await page.unroute("**/api/v1/events");
  await expect(live).toHaveText("Live", { timeout: 30_000 });
  await expect(page.getByRole("cell", { name: "meanwhile", exact: true })).toBeVisible();
  expect((await write(page.request, "DELETE", "environments/meanwhile")).ok()).toBe(true);
});
