import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { restoreBackup } from "../../lib/backups/restore-backup.ts";
import { runBackup } from "../../lib/backups/run-backup.ts";
import { createDatabase } from "../../lib/databases/create-database.ts";
import { getDatabase } from "../../lib/databases/get-database.ts";
import { requestPreflight } from "../../lib/databases/request-preflight.ts";
import { cancelOperation } from "../../lib/operations/cancel-operation.ts";
import { getOperation } from "../../lib/operations/get-operation.ts";
import type { TestMariadb } from "../../lib/testing/mariadb.ts";
import { startTestMariadb } from "../../lib/testing/mariadb.ts";
import type { TestDb } from "../../lib/testing/metadata.ts";
import { createTestDb } from "../../lib/testing/metadata.ts";
import type { Install } from "./install.ts";
import { createInstall, WITHIN } from "./install.ts";

let meta: TestDb;
let server: TestMariadb;
let install: Install;

beforeAll(async () => {
  [meta, server] = await Promise.all([createTestDb(), startTestMariadb()]);
  install = await createInstall(meta);
  await server.createDatabase("shop");
  await server.run(
    "shop",
    "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, body TEXT)",
    "INSERT INTO orders (body) SELECT MD5(seq) FROM seq_1_to_5000",
    "CREATE VIEW firsts AS SELECT * FROM orders WHERE id < 10",
    "CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW SET NEW.body = UPPER(NEW.body)",
  );
  const url = server.url("shop");
  await createDatabase(install.ctx, { name: "shop", engine: "mariadb", environment: "staging", url });
  await install.worker("one");
}, 120_000);
afterAll(async () => {
  await install.cleanUp();
  await Promise.all([server.stop(), meta.drop()]);
});

it("a registered MariaDB is looked at, backed up, proven and restored over, by a worker", async () => {
  const { id: preflight } = await requestPreflight(install.ctx, "shop");
  await install.until(preflight, "succeeded");
  const found = (await getDatabase(install.ctx, "shop")).preflight?.findings ?? [];
  expect(found.filter((finding) => finding.state === "problem")).toEqual([]);
  const backup = await install.proven("shop");
  expect(backup.proof?.tables).toMatchObject([
    { name: "orders", rows: 5000, compared: "content", equal: true },
  ]);
  await server.run("shop", "DELETE FROM orders WHERE id > 10", "DROP VIEW firsts");
  const target = { kind: "over", database: "shop", confirm: "shop", endSessions: true } as const;
  const { id } = await restoreBackup(install.ctx, backup.id, { target });
  await install.until(id, "succeeded");
  expect(await getOperation(install.ctx, id)).toMatchObject({ result: { equal: true } });
  expect(await server.read("shop", "SELECT COUNT(*) FROM orders")).toBe("5000");
  expect(await server.read("shop", "SELECT COUNT(*) FROM firsts")).toBe("9");
  const left =
    "SELECT GROUP_CONCAT(SCHEMA_NAME) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME REGEXP '^(shop_|holdfast)'";
  expect(await server.read(undefined, left)).toBe("null");
}, 120_000);

it("a backup that waits for a lock is cancelled, and leaves nobody waiting", async () => {
  const holder = await server.client("shop");
  const waiting = () =>
    server.read(
      undefined,
      "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'FLUSH TABLES%'",
    );
  try {
    await holder.query("LOCK TABLES orders WRITE");
    const { operationId } = await runBackup(install.ctx, { database: "shop" });
    await vi.waitFor(async () => expect(await waiting()).toBe("1"), WITHIN);
    await cancelOperation(install.ctx, operationId);
    await install.until(operationId, "cancelled");
    await vi.waitFor(async () => expect(await waiting()).toBe("0"), WITHIN);
  } finally {
    await holder.end();
  }
  await server.run("shop", "INSERT INTO orders (body) VALUES ('x')");
}, 120_000);
