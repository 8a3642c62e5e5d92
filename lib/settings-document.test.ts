import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { SETTINGS } from "./env.ts";
import { ROOT } from "./root.ts";
import { settingsDocument } from "./settings-document.ts";

test("docs/settings.md is what lib/env.ts says (npm run docs writes it)", () => {
  expect(readFileSync(path.join(ROOT, "docs/settings.md"), "utf8")).toBe(settingsDocument());
});

test("every setting has a row with its default", () => {
  const text = settingsDocument();
  for (const name of Object.keys(SETTINGS)) expect(text).toContain(`| \`${name}\` |`);
  expect(text).toContain("| `PORT` | `3000` |");
  expect(text).toMatch(/\| `DATABASE_URL` \| {2}\|/);
});
