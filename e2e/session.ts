import path from "node:path";
import type { APIRequestContext, Page } from "@playwright/test";
import { expect } from "@playwright/test";

/** The install under test; set before the journeys start. */
export const URL_UNDER_TEST = process.env.HOLDFAST_E2E_URL ?? "";
export const DATA_FOLDER = process.env.HOLDFAST_E2E_DATA ?? "";

/** Who claims the install in the first journey; the later ones are signed in as this. */
export const ADMIN = {
  name: "Ada Admin",
  email: "ada@example.com",
  password: "correct horse battery staple",
};

/** The admin's cookies, written by the first journey, gone with the install's folder. */
export const ADMIN_STATE = path.join(DATA_FOLDER, "../e2e-admin.json");

/** For `test.use`: signed in as the admin on the install under test. */
export const asAdmin = { baseURL: URL_UNDER_TEST, storageState: ADMIN_STATE };
/** For `test.use`: nobody, on the install under test. */
export const asNobody = { baseURL: URL_UNDER_TEST, storageState: { cookies: [], origins: [] } };

/** Signs in through the form; ends on the page that follows, not waited for. */
export async function signIn(
  page: Page,
  who: { email: string; password: string; code?: string },
): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  if (who.code !== undefined) {
    await page.getByRole("button", { name: "I have a code" }).click();
    await page.getByLabel("Code", { exact: true }).fill(who.code);
  }
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** GET of /api/v1 with the caller's cookies; fails the test unless it is answered with 200. */
export async function read<T>(request: APIRequestContext, route: string): Promise<T> {
  const response = await request.get(`/api/v1/${route}`);
  expect(response.status(), `GET ${route}`).toBe(200);
  return (await response.json()) as T;
}

/** A write to /api/v1 as a page of the console would send it. Returns the response, whatever its status. */
export async function write(
  request: APIRequestContext,
  method: "POST" | "PATCH" | "DELETE",
  route: string,
  data: unknown = {},
) {
  return await request.fetch(`/api/v1/${route}`, { method, data, headers: { origin: URL_UNDER_TEST } });
}

/** The page's finding. */
export function title(page: Page) {
  return page.getByRole("heading", { level: 1 });
}

/** What a page says went wrong; the framework's own announcer of pages has the same role. */
export function problem(page: Page) {
  return page.locator('[role="alert"]:not(#__next-route-announcer__)');
}
