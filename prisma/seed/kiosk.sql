-- The till of a market stall: SQLite. Every value follows from its row's number.
CREATE TABLE articles (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  cents INTEGER NOT NULL CHECK (cents > 0)
);
CREATE TABLE shifts (
  id INTEGER PRIMARY KEY,
  opened_at TEXT NOT NULL,
  cashier TEXT NOT NULL
);
CREATE TABLE sales (
  id INTEGER PRIMARY KEY,
  shift_id INTEGER NOT NULL REFERENCES shifts,
  article_id INTEGER NOT NULL REFERENCES articles,
  quantity INTEGER NOT NULL,
  total_cents INTEGER NOT NULL,
  sold_at TEXT NOT NULL
);
CREATE INDEX sales_shift ON sales (shift_id);
CREATE VIEW takings AS
  SELECT shift_id, sum(total_cents) / 100.0 AS euros, count(*) AS sales FROM sales GROUP BY shift_id;

INSERT INTO articles (name, cents) VALUES
  ('Coffee', 280), ('Tea', 240), ('Pretzel', 190), ('Cheese roll', 420), ('Apple cake', 350),
  ('Lemonade', 300), ('Newspaper', 220), ('Postcard', 120), ('Chewing gum', 150), ('Umbrella', 1290);

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
INSERT INTO shifts (id, opened_at, cashier)
  SELECT i, datetime('2026-04-14 06:00:00', '+' || i || ' days'),
    CASE i % 3 WHEN 0 THEN 'Ines' WHEN 1 THEN 'Marek' ELSE 'Kim' END FROM n;

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000),
  picked AS (SELECT i, 1 + (i * 7919) % 200 AS shift, 1 + (i * 104729 / 13) % 10 AS article, 1 + (i * 31 / 7) % 3 AS quantity FROM n)
INSERT INTO sales (id, shift_id, article_id, quantity, total_cents, sold_at)
  SELECT p.i, p.shift, p.article, p.quantity, p.quantity * a.cents,
    datetime('2026-04-14 06:10:00', '+' || p.shift || ' days', '+' || (p.i * 17 % 600) || ' minutes')
  FROM picked p JOIN articles a ON a.id = p.article;
