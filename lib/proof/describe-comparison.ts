import type { Comparison } from "./compare.ts";
import { countRows } from "./compare.ts";
import type { ComparedTable } from "./schema.ts";

/** Findings named in the sentence before it counts the rest. */
const NAMED = 3;

/**
 * A comparison in one sentence without its full stop: "invoices lost 3 rows and orders has other content", or
 * "12 of 14 tables are equal, 2 of them by count; 2 were not compared".
 */
export function describeComparison(comparison: Comparison): string {
  const findings = [
    ...comparison.tables.filter((table) => table.equal === false).map(finding),
    ...comparison.checks.filter((check) => check.state === "failed").map((check) => check.detail),
  ];
  if (findings.length > 0) return join(findings);
  const { equal, notCompared } = comparison.counts;
  const total = comparison.tables.length;
  if (total === 0) return "the database has no tables";
  const byCount = comparison.tables.filter(
    (table) => table.equal && table.compared === "count" && table.rows !== 0,
  );
  const counted = byCount.length === 0 ? "" : `, ${byCount.length} of them by count`;
  const rest = notCompared === 0 ? "" : `; ${notCompared} ${notCompared === 1 ? "was" : "were"} not compared`;
  if (equal === total)
    return total === 1
      ? `its 1 table is equal${counted && ", by count"}`
      : `all ${total} tables are equal${counted}`;
  return `${equal} of ${total} tables are equal${counted}${rest}`;
}

function finding({ name, rows, restoredRows, note }: ComparedTable): string {
  if (rows === null && note === "not in the dump") return `${name} is not in the dump`;
  if (rows !== null && restoredRows !== null) {
    if (restoredRows < rows) return `${name} lost ${countRows(rows - restoredRows)}`;
    if (restoredRows > rows) return `${name} has ${countRows(restoredRows - rows)} more`;
    if (note === "same rows, other content") return `${name} has other content in the same number of rows`;
  }
  return note?.endsWith("is missing after the restore")
    ? `${name} is missing`
    : `${name}: ${note ?? "differs"}`;
}

function join(findings: string[]): string {
  const more = findings.length - NAMED;
  const named = findings.slice(0, NAMED);
  if (more > 0) return `${named.join(", ")}, and ${more} more ${more === 1 ? "difference" : "differences"}`;
  const last = named.pop();
  return named.length === 0 ? (last ?? "") : `${named.join(", ")} and ${last}`;
}
