import {
  compareExtensions,
  compareLargeObjects,
  compareOwnership,
  compareSchema,
  compareSequences,
} from "./compare-objects.ts";
import type { ComparedTable, Fingerprint, ProofCheck, TableFingerprint } from "./schema.ts";

export interface Comparison {
  /** One for each table of either side, by name. */
  tables: ComparedTable[];
  /** Schema, sequences, extensions, large objects, and what a snapshot can't promise; only those that apply. */
  checks: ProofCheck[];
  /** No table and no check differs. What was not compared does not count as a difference. */
  equal: boolean;
  /** Some table with rows, or the large objects, were found equal by their number alone. */
  byCount: boolean;
  counts: { equal: number; different: number; notCompared: number };
}

/**
 * Compares what was dumped with what the restore made of it. Pure; both in the same format. `owners`: whether
 * the restore was to bring back owners and grants.
 */
export function compareFingerprints(
  source: Fingerprint,
  restored: Fingerprint,
  { owners }: { owners: boolean } = { owners: true },
): Comparison {
  const before = new Map(source.tables.map((table) => [table.name, table]));
  const after = new Map(restored.tables.map((table) => [table.name, table]));
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  const tables = names.map((name) => compareTable(name, before.get(name), after.get(name)));
  const checks = [
    compareSchema(source.schema, restored.schema),
    ...compareOwnership(source.ownership, restored.ownership, owners),
    ...compareSequences(source.sequences, restored.sequences),
    ...compareExtensions(source.extensions, restored.extensions),
    ...compareLargeObjects(source.largeObjects, restored.largeObjects),
    ...notShared(source),
    ...leftOut([...source.notCompared, ...restored.notCompared]),
  ];
  const counts = {
    equal: tables.filter((table) => table.equal === true).length,
    different: tables.filter((table) => table.equal === false).length,
    notCompared: tables.filter((table) => table.equal === null).length,
  };
  return {
    tables,
    checks,
    equal: counts.different === 0 && !checks.some((check) => check.state === "failed"),
    byCount:
      tables.some((table) => table.equal === true && table.compared === "count" && table.rows !== 0) ||
      [source, restored].some(({ largeObjects }) => largeObjects?.digest === null && largeObjects.count > 0),
    counts,
  };
}

function compareTable(
  name: string,
  source: TableFingerprint | undefined,
  restored: TableFingerprint | undefined,
): ComparedTable {
  const rows = source?.rows ?? null;
  const restoredRows = restored?.rows ?? null;
  const result = (
    compared: ComparedTable["compared"],
    equal: boolean | null,
    note: string | undefined,
  ): ComparedTable => ({ name, rows, restoredRows, compared, equal, ...(note ? { note } : {}) });

  if (!source) return result(restored?.compared ?? "not compared", false, "not in the dump");
  if (!restored) return result(source.compared, false, `${source.kind} is missing after the restore`);
  if (source.kind !== restored.kind) {
    return result("not compared", false, `${source.kind} became a ${restored.kind}`);
  }
  const uncompared = [source, restored].find(
    (table) => table.compared === "not compared" || table.rows === null,
  );
  if (uncompared || rows === null || restoredRows === null) {
    return result("not compared", null, uncompared?.note ?? source.note ?? source.kind);
  }
  const byContent = hasContent(source) && hasContent(restored);
  const compared = byContent ? "content" : "count";
  if (restoredRows !== rows) return result(compared, false, rowDifference(restoredRows - rows));
  if (byContent && source.digest !== restored.digest)
    return result(compared, false, "same rows, other content");
  return result(compared, true, byContent ? source.note : (source.note ?? restored.note));
}

function hasContent(table: TableFingerprint): boolean {
  return table.compared === "content" && table.digest !== null;
}

function rowDifference(more: number): string {
  return more < 0 ? `${countRows(-more)} missing` : `${countRows(more)} more`;
}

/** "1 row", "3 rows" */
export function countRows(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

function notShared({ unshared }: Fingerprint): ProofCheck[] {
  return unshared === undefined ? [] : [{ name: "one moment", state: "unverifiable", detail: unshared }];
}

function leftOut(sentences: string[]): ProofCheck[] {
  const unique = [...new Set(sentences)];
  if (unique.length === 0) return [];
  return [{ name: "left out", state: "not compared", detail: unique.join("; ") }];
}
