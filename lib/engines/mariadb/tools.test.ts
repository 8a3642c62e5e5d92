import { describe, expect, it } from "vitest";
import { flavourOf, MARIADB, MYSQL } from "./flavour.ts";
import type { Sample } from "./movement.ts";
import { moves } from "./movement.ts";
import { quoteIdentifier, quoteLiteral, quoteOption } from "./quote.ts";
import { matchesGrant } from "./rights.ts";
import { isOlder, toolVersion } from "./tools.ts";

describe("what programs and servers say of themselves", () => {
  it.each([
    ["mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)", "10.11.19", MARIADB],
    ["mariadb-dump from 11.4.2-MariaDB, client 10.19 for Linux (x86_64)", "11.4.2", MARIADB],
    ["mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", "8.0.36", MYSQL],
    ["mysqldump  Ver 8.4.0-0ubuntu1 for Linux on x86_64 ((Ubuntu))", "8.4.0", MYSQL],
  ])("%s", (text, version, flavour) => {
    expect(toolVersion(text)).toBe(version);
    expect(flavourOf(text)).toBe(flavour);
  });

  it("compares versions by their first two numbers", () => {
    expect(isOlder("10.11.2", "10.11.19")).toBe(false);
    expect(isOlder("10.6.1", "10.11.1")).toBe(true);
    expect(isOlder("11.0.1", "10.11.1")).toBe(false);
    expect(isOlder("8.0.36", "8.4.0")).toBe(true);
  });
});

describe("quoting", () => {
  it("keeps every character what it is", () => {
    expect(quoteIdentifier("a`b'c\\")).toBe("`a``b'c\\`");
    expect(quoteLiteral("it's")).toBe("'it''s'");
    // Means the same whatever NO_BACKSLASH_ESCAPES is.
    expect(quoteLiteral("\\'")).toBe("CONVERT(0x5c27 USING utf8mb4)");
    expect(quoteOption('a "b" \\ #c\n')).toBe('"a \\"b\\" \\\\ #c\\n"');
  });

  it.each([
    ["shop", "shop", true],
    ["shop%", "shop_1", true],
    ["sh_p", "shop", true],
    ["sh\\_p", "shop", false],
    ["sh\\_p", "sh_p", true],
    ["a.c", "abc", false],
    ["%", "", true],
  ])("a grant on %s and the database %s: %s", (pattern, name, matches) => {
    expect(matchesGrant(pattern, name)).toBe(matches);
  });
});

describe("whether a session gets on", () => {
  const before: Sample = {
    id: 1,
    command: "Query",
    seconds: 5,
    state: "Sending data",
    query: "SELECT 1",
    examined: 10,
  };
  it.each([
    ["another statement", { query: "SELECT 2" }, true],
    ["more rows read", { examined: 11 }, true],
    ["at work without a count", { state: "Sending data" }, true],
    ["waiting for a lock", { state: "Waiting for table metadata lock" }, false],
    ["waiting for a lock on all", { state: "Waiting for backup lock" }, false],
    ["begun anew", { seconds: 1, state: "Waiting for table metadata lock" }, true],
  ])("%s: %o is %s", (_what, now, expected) => {
    expect(moves(before, { ...before, seconds: 7, ...now })).toBe(expected);
  });
});
