import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareFingerprints } from "./compare.ts";
import { describeComparison } from "./describe-comparison.ts";
import type { Fingerprint, TableFingerprint } from "./schema.ts";

function table(name: string, rows: number | null, more: Partial<TableFingerprint> = {}): TableFingerprint {
  return { name, kind: "table", rows, digest: `${name}:${rows}`, compared: "content", ...more };
}

function fingerprint(tables: TableFingerprint[], more: Partial<Fingerprint> = {}): Fingerprint {
  return {
    format: 1,
    engine: "postgres",
    serverVersion: "15.18",
    takenAt: "2026-01-01T00:00:00Z",
    schema: { digest: "a", method: "pg_dump 15" },
    tables,
    sequences: [],
    extensions: [],
    largeObjects: null,
    notCompared: [],
    ...more,
  };
}

const tables = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 8 }),
    kind: fc.constantFrom("table" as const, "partition" as const, "materialized view" as const),
    rows: fc.option(fc.nat({ max: 1_000_000 })),
    digest: fc.option(fc.bigInt({ min: 0n, max: 2n ** 80n }).map(String)),
    compared: fc.constantFrom("content" as const, "count" as const, "not compared" as const),
  }),
  { selector: (one) => one.name, maxLength: 12 },
);
const sequences = fc.uniqueArray(
  fc.record({ name: fc.string({ maxLength: 6 }), value: fc.option(fc.bigInt().map(String)) }),
  { selector: (one) => one.name, maxLength: 5 },
);
const fingerprints = fc
  .record({ tables, sequences })
  .map((parts) => fingerprint(parts.tables, { sequences: parts.sequences }));

describe("compareFingerprints", () => {
  it("finds a database equal to itself, whatever the order of its tables", () => {
    fc.assert(
      fc.property(fingerprints, (one) => {
        const shuffled = { ...one, tables: one.tables.toReversed(), sequences: one.sequences.toReversed() };
        const found = compareFingerprints(one, shuffled);
        expect(found.equal).toBe(true);
        expect(found.counts.different).toBe(0);
        expect(found.tables).toHaveLength(one.tables.length);
        expect(compareFingerprints(shuffled, one)).toEqual(found);
      }),
    );
  });

  it("accounts for every table of either side exactly once", () => {
    fc.assert(
      fc.property(fingerprints, fingerprints, (one, other) => {
        const { tables: compared, counts } = compareFingerprints(one, other);
        const names = new Set([...one.tables, ...other.tables].map((each) => each.name));
        expect(compared.map((each) => each.name)).toEqual([...names].sort());
        expect(counts.equal + counts.different + counts.notCompared).toBe(compared.length);
      }),
    );
  });

  it("says content only where both sides were digested, and never calls other rows or digests equal", () => {
    fc.assert(
      fc.property(fingerprints, fingerprints, (one, other) => {
        const before = new Map(one.tables.map((each) => [each.name, each]));
        const after = new Map(other.tables.map((each) => [each.name, each]));
        for (const each of compareFingerprints(one, other).tables) {
          const [from, to] = [before.get(each.name), after.get(each.name)];
          if (each.equal === true) {
            expect(from?.rows).toBe(to?.rows);
            expect(each.compared).not.toBe("not compared");
            if (each.compared === "content") {
              expect(from?.digest).not.toBeNull();
              expect(from?.digest).toBe(to?.digest);
            }
          }
          if (each.equal === null) expect(each.note).toBeTruthy();
          if (each.equal === false) expect(each.note).toBeTruthy();
        }
      }),
    );
  });

  it("notices any one table that lost, won or changed rows, or went away", () => {
    const change = fc.constantFrom("lost", "won", "changed", "gone");
    fc.assert(
      fc.property(tables, fc.nat(), fc.integer({ min: 1, max: 50 }), change, (listed, pick, by, what) => {
        const comparable = listed.map((each) => table(each.name, (each.rows ?? 0) + 100));
        fc.pre(comparable.length > 0);
        const index = pick % comparable.length;
        const after = comparable.flatMap((each, at) => {
          if (at !== index) return [each];
          if (what === "gone") return [];
          if (what === "changed") return [{ ...each, digest: "other" }];
          return [table(each.name, (each.rows ?? 0) + (what === "won" ? by : -by))];
        });
        const found = compareFingerprints(fingerprint(comparable), fingerprint(after));
        expect(found.equal).toBe(false);
        expect(found.counts).toEqual({ equal: comparable.length - 1, different: 1, notCompared: 0 });
      }),
    );
  });

  it("is by count when a table with rows was only counted", () => {
    const counted = (rows: number) =>
      fingerprint([
        table("a", 1),
        table("b", rows, { digest: null, compared: "count", note: "over the time budget" }),
      ]);
    expect(compareFingerprints(counted(5), counted(5))).toMatchObject({ equal: true, byCount: true });
    expect(compareFingerprints(counted(0), counted(0))).toMatchObject({ equal: true, byCount: false });
    const digested = fingerprint([table("a", 1), table("b", 5)]);
    const mixed = compareFingerprints(counted(5), digested);
    expect(mixed.byCount).toBe(true);
    expect(mixed.tables[1]).toEqual({
      name: "b",
      rows: 5,
      restoredRows: 5,
      compared: "count",
      equal: true,
      note: "over the time budget",
    });
  });

  it("words each difference", () => {
    const found = compareFingerprints(
      fingerprint([
        table("a", 5),
        table("b", 5),
        table("c", 5),
        table("d", 1),
        table("e", 3),
        table("m", 9, { kind: "materialized view", compared: "not compared", digest: null }),
      ]),
      fingerprint([
        table("a", 2),
        table("b", 6),
        table("c", 5, { digest: "other" }),
        table("e", 3),
        table("m", 8, { kind: "materialized view", compared: "not compared", digest: null }),
        table("x", 1),
      ]),
    );
    expect(found.tables.map((each) => [each.name, each.equal, each.note])).toEqual([
      ["a", false, "3 rows missing"],
      ["b", false, "1 row more"],
      ["c", false, "same rows, other content"],
      ["d", false, "table is missing after the restore"],
      ["e", true, undefined],
      ["m", null, "materialized view"],
      ["x", false, "not in the dump"],
    ]);
    expect(found.counts).toEqual({ equal: 1, different: 5, notCompared: 1 });
    expect(describeComparison(found)).toBe(
      "a lost 3 rows, b has 1 row more, c has other content in the same number of rows, and 2 more differences",
    );
  });
});

describe("checks beside the tables", () => {
  const check = (source: Partial<Fingerprint>, restored: Partial<Fingerprint>, name: string) =>
    compareFingerprints(fingerprint([], source), fingerprint([], restored)).checks.find(
      (each) => each.name === name,
    );

  it("compares schemas only where the same method wrote both", () => {
    const schema = (digest: string | null, method = "pg_dump 15") => ({ schema: { digest, method } });
    expect(check(schema("a"), schema("a"), "schema")?.state).toBe("passed");
    expect(check(schema("a"), schema("b"), "schema")?.state).toBe("failed");
    expect(check(schema("a"), schema("b", "pg_dump 18"), "schema")?.state).toBe("not compared");
    expect(check(schema("a"), schema(null), "schema")?.state).toBe("not compared");
  });

  it("names the objects that differ, where both sides list them", () => {
    const schema = (digest: string, objects: Record<string, string>) => ({
      schema: { digest, method: "pg_dump 15", objects },
    });
    const before = schema("a", { "INDEX a": "1", "TABLE b": "1", "VIEW c": "1" });
    const after = schema("b", { "TABLE b": "2", "VIEW c": "1", "VIEW d": "1" });
    expect(check(before, after, "schema")?.detail).toBe(
      "the schema differs from the dumped one: INDEX a is missing; TABLE b differs; VIEW d is new",
    );
  });

  it("compares owners and grants where they were to be restored", () => {
    const owned = (digest: string | null) => ({ ownership: { digest } });
    const name = "owners and grants";
    expect(check(owned("a"), owned("a"), name)?.state).toBe("passed");
    expect(check(owned("a"), owned("b"), name)?.state).toBe("failed");
    expect(check(owned("a"), owned(null), name)?.state).toBe("not compared");
    expect(check({}, {}, name)).toBeUndefined();
    const [source, restored] = [fingerprint([], owned("a")), fingerprint([], owned("b"))];
    expect(compareFingerprints(source, restored, { owners: false }).equal).toBe(true);
  });

  it("lets descending sequences go down", () => {
    const down = (value: string) => ({ sequences: [{ name: "s", value, descending: true }] });
    expect(check(down("-5"), down("-7"), "sequences")?.state).toBe("passed");
    expect(check(down("-5"), down("-4"), "sequences")?.state).toBe("failed");
  });

  it.each([
    ["5", "5", "passed"],
    ["5", "6", "passed"],
    ["5", "4", "failed"],
    ["5", null, "failed"],
    [null, "1", "passed"],
    [null, null, "passed"],
    ["9223372036854775806", "9223372036854775807", "passed"],
    ["9223372036854775807", "9223372036854775806", "failed"],
    ["-5", "-7", "failed"],
  ])("a sequence recorded at %s and restored at %s has %s", (recorded, found, state) => {
    const at = (value: string | null) => ({ sequences: [{ name: "s", value }] });
    expect(check(at(recorded), at(found), "sequences")?.state).toBe(state);
  });

  it("says that large objects were compared by their number alone", () => {
    const made = (count: number, digest: string | null) =>
      fingerprint([], { largeObjects: { count, digest } });
    expect(compareFingerprints(made(2, null), made(2, "d"))).toMatchObject({ equal: true, byCount: true });
    expect(compareFingerprints(made(2, "d"), made(2, "d"))).toMatchObject({ equal: true, byCount: false });
    expect(compareFingerprints(made(0, null), made(0, "0"))).toMatchObject({ equal: true, byCount: false });
  });

  it("misses a sequence, an extension and large objects that did not come back", () => {
    expect(check({ sequences: [{ name: "s", value: "1" }] }, {}, "sequences")?.detail).toBe("s is missing");
    const extension = (version: string) => ({ extensions: [{ name: "hstore", version }] });
    expect(check(extension("1"), {}, "extensions")?.state).toBe("failed");
    expect(check(extension("1"), extension("2"), "extensions")).toMatchObject({
      state: "passed",
      detail: "hstore 1 was restored as 2",
    });
    const objects = (count: number, digest: string | null) => ({ largeObjects: { count, digest } });
    expect(check(objects(2, "a"), objects(1, "a"), "large objects")?.state).toBe("failed");
    expect(check(objects(2, "a"), {}, "large objects")?.state).toBe("failed");
    expect(check(objects(2, "a"), objects(2, "b"), "large objects")?.state).toBe("failed");
    expect(check(objects(2, "a"), objects(2, null), "large objects")?.detail).toContain("not compared");
    expect(check(objects(0, null), {}, "large objects")).toBeUndefined();
  });

  it("fails the whole where a check fails, and repeats what was left out", () => {
    const source = fingerprint([], { notCompared: ["rows of foreign tables"] });
    const restored = fingerprint([], { schema: { digest: "b", method: "pg_dump 15" } });
    const found = compareFingerprints(source, restored);
    expect(found.equal).toBe(false);
    expect(describeComparison(found)).toBe("the schema differs from the dumped one");
    expect(found.checks.at(-1)).toEqual({
      name: "left out",
      state: "not compared",
      detail: "rows of foreign tables",
    });
  });
});

describe("describeComparison", () => {
  const words = (source: TableFingerprint[], restored: TableFingerprint[]) =>
    describeComparison(compareFingerprints(fingerprint(source), fingerprint(restored)));
  const counted = { compared: "count", digest: null } as const;

  it("is one sentence", () => {
    expect(words([table("invoices", 10)], [table("invoices", 7)])).toBe("invoices lost 3 rows");
    expect(words([table("a", 2), table("b", 1)], [table("a", 1), table("b", 1, { digest: "x" })])).toBe(
      "a lost 1 row and b has other content in the same number of rows",
    );
    expect(words([table("a", 2)], [])).toBe("a is missing");
    expect(words([], [table("a", 2)])).toBe("a is not in the dump");
    expect(words([], [])).toBe("the database has no tables");
    expect(words([table("a", 2)], [table("a", 2)])).toBe("its 1 table is equal");
    expect(words([table("a", 2, counted)], [table("a", 2, counted)])).toBe("its 1 table is equal, by count");
    const both = [table("a", 2), table("b", 3, counted)];
    expect(words(both, both)).toBe("all 2 tables are equal, 1 of them by count");
    const three = [...both, table("m", 1, { compared: "not compared", digest: null })];
    expect(words(three, three)).toBe("2 of 3 tables are equal, 1 of them by count; 1 was not compared");
  });
});
