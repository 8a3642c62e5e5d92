import { expect, test } from "vitest";
import { defaultApplication } from "./place.ts";

test.each([
  ["shop-production", "production", "shop"],
  ["shop-eu-staging", "staging", "shop-eu"],
  ["kiosk", "production", "kiosk"],
  ["-production", "production", "-production"],
  ["production", "production", "production"],
  ["shop-staging", "production", "shop-staging"],
])("%s in %s is of the application %s", (name, environment, application) => {
  expect(defaultApplication(name, environment)).toBe(application);
});
