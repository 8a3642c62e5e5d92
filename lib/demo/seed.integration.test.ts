import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestPostgres } from "../testing/postgres.ts";
import { startTestPostgres } from "../testing/postgres.ts";
import { seedKiosk } from "./seed-kiosk.ts";
import { SHOP_LOGIN, seedShops } from "./seed-shop.ts";

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(async () => {
  await server?.stop();
});

async function digests(database: string): Promise<unknown[]> {
  const client = await server.client(database);
  try {
    const tables = [
      "customers",
      "products",
      "orders",
      "order_lines",
      "payments",
      "inventory_events",
      "page_events",
    ];
    const parts = tables.map(
      (table) =>
        `SELECT '${table}' AS name, count(*)::int AS rows, sum(hashtextextended(t::text, 0)::numeric)::text AS digest FROM shop.${table} t`,
    );
    await client.query("SET TIME ZONE 'UTC'");
    return (await client.query(`${parts.join(" UNION ALL ")} ORDER BY name`)).rows;
  } finally {
    await client.end();
  }
}

test("the sample shop is the same each time, fills every table, and its login may read but not own it", async () => {
  const shops = [{ database: "shop_a", customers: 300 }];
  await seedShops(server.url(), shops);
  const first = await digests("shop_a");
  const password = await seedShops(server.url(), shops);
  expect(await digests("shop_a")).toEqual(first);
  for (const row of first) expect((row as { rows: number }).rows).toBeGreaterThan(100);

  const { Client } = await import("pg");
  const client = new Client({
    connectionString: server.url("shop_a").replace(/\/\/[^@]+@/, `//${SHOP_LOGIN}:${password}@`),
  });
  await client.connect();
  try {
    expect((await client.query("SELECT count(*)::int AS n FROM shop.customers")).rows).toEqual([{ n: 300 }]);
    const role = await client.query(
      "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user",
    );
    expect(role.rows).toEqual([{ rolsuper: false, rolcreaterole: false }]);
  } finally {
    await client.end();
  }
});

test("the kiosk's file is whole and replaces an older one", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "hf-kiosk-"));
  try {
    const file = path.join(folder, "kiosk.db");
    seedKiosk(file);
    seedKiosk(file);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare("SELECT count(*) AS n FROM sales").get()).toEqual({ n: 20_000 });
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
