import type { Client } from "pg";

/** Bytes of one gigabyte of the data set, as pg_dump writes it, come of about so many orders. */
const ORDERS_PER_GB = 2_900_000;
/** pgbench accounts of one gigabyte: scale 25. */
const ACCOUNTS_PER_GB = 2_500_000;

/**
 * The benchmark's database: pgbench's accounts (narrow, repetitive rows) and orders with text, numbers, times and
 * JSON, about half and half, then indexes. Seeded: the same size always gives the same rows.
 */
export async function seed(client: Client, gigabytes: number): Promise<void> {
  await client.query("SELECT setseed(0.42)");
  await client.query(`
    CREATE TABLE pgbench_accounts AS
    SELECT g AS aid, (g - 1) / 100000 + 1 AS bid, (random() * 10000)::int - 5000 AS abalance,
      ''::char(84) AS filler
    FROM generate_series(1, ${Math.round(ACCOUNTS_PER_GB * gigabytes)}) AS g`);
  await client.query(`
    CREATE TABLE orders AS
    SELECT g AS id, 'customer ' || (random() * 1e6)::int AS customer,
      timestamptz '2026-01-01' + random() * interval '900 days' AS placed_at,
      (random() * 1e6)::numeric(12, 2) AS total,
      jsonb_build_object('sku', md5((g % 50000)::text), 'note', repeat('lorem ipsum ', (random() * 12)::int),
        'quantity', (random() * 9)::int) AS detail
    FROM generate_series(1, ${Math.round(ORDERS_PER_GB * gigabytes)}) AS g`);
  await client.query("ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid)");
  await client.query("ALTER TABLE orders ADD PRIMARY KEY (id)");
  await client.query("CREATE INDEX ON orders (placed_at)");
  await client.query("VACUUM ANALYZE");
}
