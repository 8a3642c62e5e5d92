import type { TableFingerprint } from "../../proof/schema.ts";
import type { WorkContext } from "../engine.ts";
import type { ColumnInfo, TableInfo } from "./catalog.ts";
import { listColumns } from "./catalog.ts";
import type { Session } from "./connect.ts";
import { isConnectionLost, isDenied, numberOf, sentenceOf } from "./connect-errors.ts";
import { rowHash } from "./digest-sql.ts";
import { quoteIdentifier } from "./quote.ts";

export interface DigestPlan {
  /** How a table is to be compared. */
  compare(table: TableInfo): "content" | "count" | { not: string };
  /** Milliseconds that digests may take together; Infinity for no limit. */
  budgetMs: number;
}

interface Measured {
  rows: number;
  digest: string | null;
  note?: string;
}

const BUDGET_NOTE = "the time budget for content digests was used up";
/** More than all the hashes of a table can add up to. */
const NOT_HASHED = `1${"0".repeat(40)}`;
const DEFINITION_CHANGED = 1412;

/**
 * Counts every table exactly and digests contents as planned, smallest first: what the budget cuts off is the
 * largest. Runs in the session's transaction, and gives back each table's lock as soon as it is read, so that
 * changes of definitions do not queue up behind a long dump. Progress is in tables.
 */
export async function digestTables(
  session: Session,
  tables: readonly TableInfo[],
  plan: DigestPlan,
  work: Pick<WorkContext, "progress">,
): Promise<TableFingerprint[]> {
  const columns = await listColumns(session);
  const found = new Map<string, TableFingerprint>();
  const endsAt = performance.now() + plan.budgetMs;
  let done = 0;
  const report = () => work.progress({ label: "Fingerprint", done, total: tables.length, unit: "tables" });
  report();
  for (const table of tables.toSorted((a, b) => a.bytes - b.bytes)) {
    const how = plan.compare(table);
    if (typeof how === "object") {
      found.set(table.name, {
        name: table.name,
        kind: "table",
        rows: null,
        digest: null,
        compared: "not compared",
        note: how.not,
      });
    } else {
      const content = how === "content" && plan.budgetMs > 0;
      const measured = await measureWithin(
        session,
        table,
        content ? (columns.get(table.name) ?? []) : null,
        endsAt,
      );
      const compared = measured.digest === null ? "count" : "content";
      found.set(table.name, { name: table.name, kind: "table", compared, ...measured });
    }
    done += 1;
    report();
  }
  return tables.flatMap((table) => found.get(table.name) ?? []);
}

async function measureWithin(
  session: Session,
  table: TableInfo,
  columns: ColumnInfo[] | null,
  endsAt: number,
): Promise<Measured> {
  await session.run("SAVEPOINT reading");
  try {
    let note: string | undefined;
    if (columns) {
      const left = endsAt - performance.now();
      if (left <= 0) note = BUDGET_NOTE;
      else {
        const result = await digestOne(session, table, columns, left);
        if (typeof result !== "string") return result;
        note = result;
      }
    }
    const [row] = await session.rows<{ n: string }>(
      `SELECT CAST(COUNT(*) AS CHAR) AS n FROM ${quoteIdentifier(table.name)}`,
    );
    return { rows: Number(row?.n ?? 0), digest: null, ...(note === undefined ? {} : { note }) };
  } finally {
    await session.run("ROLLBACK TO SAVEPOINT reading").catch(() => undefined);
  }
}

/** The digest, or why there is none though the rows can still be counted. */
async function digestOne(
  session: Session,
  table: TableInfo,
  columns: ColumnInfo[],
  leftMs: number,
): Promise<Measured | string> {
  const { flavour } = session;
  const limit = Number.isFinite(leftMs) ? Math.min(2_000_000_000, Math.max(1, leftMs)) : 0;
  try {
    await session.run(flavour.statementLimit(limit));
    const [row] = await session.rows<{ n: string; digest: string | null }>(
      `SELECT CAST(COUNT(*) AS CHAR) AS n, CAST(SUM(IFNULL(${rowHash(columns)}, ${NOT_HASHED})) AS CHAR) AS digest
       FROM ${quoteIdentifier(table.name)}`,
    );
    // A text that the server could not put together is NULL, and would count as nothing.
    if (!row || (row.digest?.length ?? 0) >= NOT_HASHED.length) {
      return "content could not be digested: a row is too long for the server";
    }
    return { rows: Number(row.n), digest: row.digest ?? "0" };
  } catch (error) {
    if (flavour.statementTimeouts.includes(numberOf(error))) return BUDGET_NOTE;
    if (isConnectionLost(error) || isDenied(error) || numberOf(error) === DEFINITION_CHANGED) throw error;
    if (numberOf(error) === 0) throw error;
    return `content could not be digested: ${sentenceOf(error)}`;
  } finally {
    await session.run(flavour.statementLimit(0)).catch(() => undefined);
  }
}
