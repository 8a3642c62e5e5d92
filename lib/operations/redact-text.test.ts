import { expect, test } from "vitest";
import { TextRedactor } from "./redact-text.ts";

const redactor = new TextRedactor();
redactor.hide(["s3cr3t/pä'ss", null, undefined, "ab", "AAAA-first-line-1234\nBBBB-second-line-5678"]);

test.each([
  ["psql: s3cr3t/pä'ss refused", "psql: [redacted] refused"],
  [`encoded ${encodeURIComponent("s3cr3t/pä'ss")}`, "encoded [redacted]"],
  [`base64 ${Buffer.from("s3cr3t/pä'ss").toString("base64")}`, "base64 [redacted]"],
  ["sql 's3cr3t/pä''ss'", "sql '[redacted]'"],
  ["a line of a key: BBBB-second-line-5678.", "a line of a key: [redacted]."],
  ["short ab stays", "short ab stays"],
  ["postgresql://me:hunter2@db:5432/shop", "postgresql://me:[redacted]@db:5432/shop"],
  ["postgresql://me:p@ss:w@db/shop", "postgresql://me:[redacted]@db/shop"],
  ["s3://bucket/key stays", "s3://bucket/key stays"],
  ["at 12:30:45 user@example.com stays", "at 12:30:45 user@example.com stays"],
  ["PGPASSWORD=abc pg_dump", "PGPASSWORD=[redacted] pg_dump"],
  ["host=db password='a b' user=me", "host=db password=[redacted] user=me"],
  ['{"secret": "x y", "n": 1}', '{"secret": [redacted], "n": 1}'],
  ["Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"],
  ["identity AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", "identity [redacted]"],
  ["dumping contents of table public.password_reset", "dumping contents of table public.password_reset"],
])("%s", (text, expected) => {
  expect(redactor.redact(text)).toBe(expected);
});
