import { expect, test } from "vitest";
import { restoreBackupInput } from "../../../lib/backups/schema.ts";
import { checkTarget, type RestoreValues, toRestoreInput } from "./restore-values.ts";

const values = (given: Partial<RestoreValues>): RestoreValues => ({
  kind: "new",
  on: "shop-production",
  name: "shop_copy",
  register: false,
  database: "",
  confirm: "",
  endSessions: false,
  jobs: 2,
  ...given,
});

test("a new database needs a server and a name that the API takes, too", () => {
  expect(checkTarget(values({}), true)).toEqual({});
  expect(checkTarget(values({ on: "", name: "Shop Copy" }), true)).toEqual({
    on: expect.any(String),
    name: expect.any(String),
  });
  expect(restoreBackupInput.safeParse(toRestoreInput(values({}))).success).toBe(true);
});

test("replacing asks for the name only at the last step", () => {
  const over = values({ kind: "over", database: "shop-staging", confirm: "shop-stagin" });
  expect(checkTarget(over, false)).toEqual({});
  expect(checkTarget(over, true)).toEqual({ confirm: "This is not shop-staging." });
  expect(toRestoreInput({ ...over, confirm: " shop-staging " }).target).toEqual({
    kind: "over",
    database: "shop-staging",
    confirm: "shop-staging",
    endSessions: false,
  });
});
