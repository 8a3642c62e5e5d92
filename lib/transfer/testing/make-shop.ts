import type { TestPostgres } from "../../testing/postgres.ts";

/** A database `shop` with two tables, a view, and a table of another owner. */
export async function makeShop(server: TestPostgres): Promise<void> {
  await server.createDatabase("shop");
  const client = await server.client("shop");
  await client.query("CREATE ROLE shop_owner");
  await client.query("CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL)");
  await client.query("INSERT INTO customers (name) SELECT 'name ' || g FROM generate_series(1, 5000) g");
  await client.query(
    "CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, note text)",
  );
  await client.query(
    "INSERT INTO orders SELECT g, g % 5000 + 1, md5(g::text) FROM generate_series(1, 50000) g",
  );
  await client.query("CREATE VIEW big_orders AS SELECT * FROM orders WHERE id > 100");
  await client.query("ALTER TABLE orders OWNER TO shop_owner");
  await client.end();
}
