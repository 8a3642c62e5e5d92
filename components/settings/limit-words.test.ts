import { expect, test } from "vitest";
import { limitWords } from "./limit-words.ts";

test.each([
  [[], [], null],
  [["staging"], [], "staging"],
  [["development", "staging", "production"], [], "development, staging and production"],
  [[], ["shop"], "application shop"],
  [["staging", "production"], ["shop", "kiosk"], "staging and production; applications shop and kiosk"],
])("environments %j and applications %j read: %s", (environments, applications, words) => {
  expect(limitWords({ environments, applications })).toBe(words);
});
