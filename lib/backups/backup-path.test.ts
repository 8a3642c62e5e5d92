import { expect, test } from "vitest";
import { backupPath, nextBackupPath } from "./backup-path.ts";

const at = new Date("2026-11-21T02:15:09.750Z");

test("a backup's folder tells the install, the database, the time and the backup", () => {
  expect(backupPath("install", "shop", at, "id")).toBe("install/shop/20261121T021509Z-id");
});

test("another writing of it gets a folder of its own beside the first, even within the same second", () => {
  const first = backupPath("install", "shop", at, "id");
  const second = nextBackupPath([first], at, "id");
  expect(second).toBe("install/shop/20261121T021510Z-id");
  expect(nextBackupPath([first, second], at, "id")).toBe("install/shop/20261121T021511Z-id");
  expect(nextBackupPath([first], new Date("2026-11-22T00:00:00Z"), "id")).toBe(
    "install/shop/20261122T000000Z-id",
  );
});
