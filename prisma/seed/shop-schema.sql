-- A small web shop, as its team might have grown it. Owned by shop_owner.
CREATE SCHEMA shop AUTHORIZATION shop_owner;
SET ROLE shop_owner;
SET search_path = shop;

CREATE TYPE order_status AS ENUM ('placed', 'paid', 'packed', 'shipped', 'delivered', 'returned', 'cancelled');
CREATE TYPE payment_method AS ENUM ('card', 'invoice', 'wallet', 'voucher');
CREATE TYPE stock_reason AS ENUM ('delivery', 'sale', 'return', 'count', 'damage');
CREATE DOMAIN email_address AS text CHECK (VALUE ~ '^[^@\s]+@[^@\s]+\.[^@\s]+$');
CREATE TYPE postal_address AS (street text, zip text, city text, country char(2));

CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email email_address NOT NULL UNIQUE,
  full_name text NOT NULL,
  address postal_address,
  newsletter boolean NOT NULL DEFAULT false,
  preferences jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE customers IS 'People and companies that have ordered at least once';
CREATE INDEX customers_preferences ON customers USING gin (preferences jsonb_path_ops);

CREATE TABLE categories (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  parent_id int REFERENCES categories,
  name text NOT NULL
);

CREATE TABLE products (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  category_id int NOT NULL REFERENCES categories,
  sku text NOT NULL UNIQUE,
  title text NOT NULL,
  description text NOT NULL,
  price numeric(10, 2) NOT NULL CHECK (price > 0),
  attributes jsonb NOT NULL DEFAULT '{}',
  tags text[] NOT NULL DEFAULT '{}',
  search tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || description)) STORED
);
CREATE INDEX products_search ON products USING gin (search);

CREATE SEQUENCE order_number START 100000;
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number text NOT NULL UNIQUE DEFAULT 'S-' || nextval('shop.order_number'),
  customer_id bigint NOT NULL REFERENCES customers,
  status order_status NOT NULL DEFAULT 'placed',
  ship_to postal_address NOT NULL,
  note text,
  placed_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER SEQUENCE order_number OWNED BY orders.number;
CREATE INDEX orders_customer ON orders (customer_id, placed_at DESC);
CREATE INDEX orders_open ON orders (placed_at) WHERE status IN ('placed', 'paid', 'packed');

CREATE TABLE order_lines (
  order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
  line smallint NOT NULL,
  product_id int NOT NULL REFERENCES products,
  quantity smallint NOT NULL CHECK (quantity > 0),
  unit_price numeric(10, 2) NOT NULL,
  total numeric(12, 2) GENERATED ALWAYS AS (quantity * unit_price) STORED,
  PRIMARY KEY (order_id, line)
);
CREATE INDEX order_lines_product ON order_lines (product_id);

CREATE TABLE payments (
  id uuid PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders,
  method payment_method NOT NULL,
  amount numeric(12, 2) NOT NULL,
  provider_answer jsonb,
  paid_at timestamptz NOT NULL
);
CREATE INDEX payments_order ON payments (order_id);

CREATE TABLE inventory_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id int NOT NULL REFERENCES products,
  reason stock_reason NOT NULL,
  change int NOT NULL CHECK (change <> 0),
  at timestamptz NOT NULL
);
CREATE INDEX inventory_events_product ON inventory_events (product_id, at);

CREATE TABLE page_events (
  at timestamptz NOT NULL,
  customer_id bigint,
  path text NOT NULL,
  detail jsonb
) PARTITION BY RANGE (at);
CREATE TABLE page_events_2026_08 PARTITION OF page_events FOR VALUES FROM ('2026-08-01') TO ('2026-09-01');
CREATE TABLE page_events_2026_09 PARTITION OF page_events FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE page_events_2026_10 PARTITION OF page_events FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');
CREATE TABLE page_events_other PARTITION OF page_events DEFAULT;
CREATE INDEX page_events_at ON page_events (at);

CREATE FUNCTION touch_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_order();

CREATE VIEW open_orders AS
  SELECT o.number, c.full_name, o.status, o.placed_at
  FROM orders o JOIN customers c ON c.id = o.customer_id
  WHERE o.status IN ('placed', 'paid', 'packed');

CREATE MATERIALIZED VIEW sales_by_day AS
  SELECT date_trunc('day', o.placed_at AT TIME ZONE 'UTC') AS day, count(DISTINCT o.id) AS orders, sum(l.total) AS revenue
  FROM orders o JOIN order_lines l ON l.order_id = o.id
  WHERE o.status NOT IN ('returned', 'cancelled')
  GROUP BY 1
  WITH NO DATA;
CREATE UNIQUE INDEX sales_by_day_day ON sales_by_day (day);

GRANT USAGE ON SCHEMA shop TO shop_app, shop_reporting;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO shop_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA shop TO shop_app;
GRANT SELECT ON open_orders, sales_by_day, products TO shop_reporting;
RESET ROLE;
