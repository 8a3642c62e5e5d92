import type { TestPostgres } from "../lib/testing/postgres.ts";

/** A small shop with the shapes that matter: a foreign key, a sequence, an index, an enum, a view. */
export async function fillShop(server: TestPostgres, database: string): Promise<void> {
  await server.createDatabase(database);
  const client = await server.client(database);
  try {
    await client.query(`
      CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent');
      CREATE TABLE customers (id bigserial PRIMARY KEY, name text NOT NULL, joined timestamptz NOT NULL DEFAULT now());
      CREATE TABLE orders (
        id bigserial PRIMARY KEY,
        customer_id bigint NOT NULL REFERENCES customers,
        state order_state NOT NULL,
        total numeric(12,2) NOT NULL,
        note jsonb
      );
      CREATE INDEX orders_state ON orders (state);
      CREATE VIEW open_orders AS SELECT * FROM orders WHERE state = 'open';
      INSERT INTO customers (name) SELECT 'Customer ' || n FROM generate_series(1, 2000) n;
      INSERT INTO orders (customer_id, state, total, note)
        SELECT 1 + n % 2000, (ARRAY['open','paid','sent'])[1 + n % 3]::order_state, n % 997 + 0.25, jsonb_build_object('n', n)
        FROM generate_series(1, 20000) n;`);
  } finally {
    await client.end();
  }
}
