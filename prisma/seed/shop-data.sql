-- Rows of the sample shop. Every value follows from its row's number, so that each run makes the same data.
-- seed.customers sets the size: about 25 rows in all per customer.
SET ROLE shop_owner;
SET search_path = shop, pg_temp;
SET TIME ZONE 'UTC';
SET synchronous_commit = off;

-- Evenly spread, in [0, 1); hashint8extended is PostgreSQL's own hash with a seed.
CREATE FUNCTION pg_temp.spread(n bigint, salt bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  'SELECT (hashint8extended(n, salt) & 2147483647) / 2147483648.0';
CREATE FUNCTION pg_temp.pick(list text[], n bigint, salt bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
  'SELECT list[1 + floor(pg_temp.spread(n, salt) * cardinality(list))::int]';

INSERT INTO categories (name) VALUES ('Kitchen'), ('Office'), ('Garden'), ('Travel');
INSERT INTO categories (parent_id, name)
  SELECT p.id, p.name || ': ' || kind FROM categories p, unnest(ARRAY['basics', 'tools', 'gifts']) kind ORDER BY p.id, kind;

INSERT INTO products (category_id, sku, title, description, price, attributes, tags)
  SELECT 5 + n % 12,
    'SKU-' || lpad(n::text, 5, '0'),
    initcap(pg_temp.pick(ARRAY['oak', 'steel', 'linen', 'glass', 'cork', 'wool', 'copper'], n, 1) || ' '
      || pg_temp.pick(ARRAY['board', 'bottle', 'lamp', 'basket', 'notebook', 'tray', 'blanket', 'mug', 'clock'], n, 2)),
    'Made to last; ' || pg_temp.pick(ARRAY['small batch', 'best seller', 'new this season', 'limited edition'], n, 3)
      || ', ' || pg_temp.pick(ARRAY['machine washable', 'dishwasher safe', 'wipe clean', 'repairable'], n, 4) || '.',
    round((4 + 146 * pg_temp.spread(n, 5) ^ 2)::numeric, 2),
    jsonb_build_object('weightGrams', 50 + floor(4000 * pg_temp.spread(n, 6))::int,
      'colour', pg_temp.pick(ARRAY['natural', 'black', 'white', 'green', 'blue'], n, 7)),
    ARRAY[pg_temp.pick(ARRAY['eco', 'sale', 'classic'], n, 8), pg_temp.pick(ARRAY['home', 'gift', 'pro'], n, 9)]
  FROM generate_series(1, 1200) n;

INSERT INTO customers (email, full_name, address, newsletter, preferences, created_at)
  SELECT lower(first || '.' || last) || n || '@example.com', first || ' ' || last,
    ROW(pg_temp.pick(ARRAY['Mill Lane', 'Hauptstrasse', 'Rue Verte', 'Via Roma', 'Kerkstraat'], n, 12) || ' ' || 1 + n % 180,
      lpad((n * 37 % 100000)::text, 5, '0'),
      pg_temp.pick(ARRAY['Leeds', 'Bremen', 'Lyon', 'Torino', 'Gent', 'Graz'], n, 13),
      pg_temp.pick(ARRAY['GB', 'DE', 'FR', 'IT', 'BE', 'AT'], n, 13))::postal_address,
    pg_temp.spread(n, 14) < 0.4,
    jsonb_build_object('language', pg_temp.pick(ARRAY['en', 'de', 'fr', 'it'], n, 15), 'theme', pg_temp.pick(ARRAY['light', 'dark'], n, 16)),
    timestamptz '2026-11-01' - interval '900 days' * pg_temp.spread(n, 17)
  FROM generate_series(1, current_setting('seed.customers')::bigint) n,
    LATERAL (SELECT
      pg_temp.pick(ARRAY['Anna', 'Ben', 'Carla', 'David', 'Elif', 'Femi', 'Grace', 'Hugo', 'Ines', 'Jonas', 'Kim', 'Lea', 'Marek', 'Nora'], n, 10) AS first,
      pg_temp.pick(ARRAY['Adler', 'Brown', 'Costa', 'Dubois', 'Evans', 'Fischer', 'Garcia', 'Huber', 'Ivanov', 'Jansen', 'Kaya', 'Moreau', 'Novak', 'Rossi'], n, 11) AS last) names;

INSERT INTO orders (customer_id, status, ship_to, note, placed_at, updated_at)
  SELECT c.id,
    CASE WHEN at > timestamptz '2026-10-29' THEN pg_temp.pick(ARRAY['placed', 'paid', 'packed', 'shipped'], n, 22)
      ELSE pg_temp.pick(ARRAY['delivered', 'delivered', 'delivered', 'delivered', 'delivered', 'shipped', 'returned', 'cancelled'], n, 23)
    END::order_status,
    c.address,
    CASE WHEN pg_temp.spread(n, 24) < 0.08 THEN 'Please ring twice, the bell is quiet' END,
    at, at + interval '3 days' * pg_temp.spread(n, 25)
  FROM generate_series(1, current_setting('seed.customers')::bigint * 3) n
    JOIN customers c ON c.id = 1 + floor(current_setting('seed.customers')::bigint * pg_temp.spread(n, 20) ^ 1.4)::bigint,
    LATERAL (SELECT timestamptz '2026-11-01' - interval '365 days' * pg_temp.spread(n, 21) ^ 1.3 AS at) placed
  ORDER BY at;

INSERT INTO order_lines (order_id, line, product_id, quantity, unit_price)
  SELECT o.id, line, p.id, 1 + floor(3 * pg_temp.spread(o.id * 8 + line, 31) ^ 2)::int, p.price
  FROM orders o
    CROSS JOIN LATERAL generate_series(1, 1 + floor(4.5 * pg_temp.spread(o.id, 30))::int) line
    JOIN products p ON p.id = 1 + floor(1200 * pg_temp.spread(o.id * 8 + line, 32) ^ 1.5)::int;

INSERT INTO payments (id, order_id, method, amount, provider_answer, paid_at)
  SELECT md5('payment ' || o.id)::uuid, o.id,
    pg_temp.pick(ARRAY['card', 'card', 'card', 'wallet', 'invoice', 'voucher'], o.id, 40)::payment_method, sum(l.total),
    jsonb_build_object('status', 'captured', 'reference', substr(md5('reference ' || o.id), 1, 12)),
    o.placed_at + interval '40 minutes' * pg_temp.spread(o.id, 41)
  FROM orders o JOIN order_lines l ON l.order_id = o.id
  WHERE o.status NOT IN ('placed', 'cancelled')
  GROUP BY o.id;

INSERT INTO inventory_events (product_id, reason, change, at)
  SELECT 1 + floor(1200 * pg_temp.spread(n, 50))::int, reason::stock_reason,
    CASE WHEN reason IN ('delivery', 'return') THEN 1 ELSE -1 END * (1 + floor(40 * pg_temp.spread(n, 52) ^ 3)::int),
    timestamptz '2026-11-01' - interval '365 days' * pg_temp.spread(n, 53)
  FROM generate_series(1, current_setting('seed.customers')::bigint * 2) n,
    LATERAL (SELECT pg_temp.pick(ARRAY['sale', 'sale', 'sale', 'delivery', 'delivery', 'return', 'count', 'damage'], n, 51) AS reason) picked;

INSERT INTO page_events (at, customer_id, path, detail)
  SELECT timestamptz '2026-11-01' - interval '100 days' * pg_temp.spread(n, 60),
    CASE WHEN pg_temp.spread(n, 61) < 0.7 THEN 1 + floor(current_setting('seed.customers')::bigint * pg_temp.spread(n, 62))::bigint END,
    pg_temp.pick(ARRAY['/', '/search', '/cart', '/checkout', '/account'], n, 63),
    CASE WHEN pg_temp.spread(n, 64) < 0.5 THEN jsonb_build_object('milliseconds', 20 + floor(900 * pg_temp.spread(n, 65) ^ 4)::int) END
  FROM generate_series(1, current_setting('seed.customers')::bigint * 5) n;

REFRESH MATERIALIZED VIEW sales_by_day;
RESET ROLE;
ANALYZE;
