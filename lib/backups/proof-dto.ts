import type { Prisma } from "../db/generated/client.ts";
import type { ComparedTable, ProofDto } from "../proof/schema.ts";
import { isolationSchema, proofReportSchema } from "../proof/schema.ts";

export const proofInclude = {
  backup: { select: { copies: { select: { id: true, destination: { select: { name: true } } } } } },
} as const satisfies Prisma.ProofInclude;

export type ProofRow = Prisma.ProofGetPayload<{ include: typeof proofInclude }>;

/** Most tables of a proof in one answer; the rest is paged by list-proof-tables.ts. */
export const FIRST_TABLES = 500;

/** A proof, whole, with its first tables: those that differ come first. */
export function proofDto(row: ProofRow): ProofDto {
  const report = proofReportSchema.parse(row.report);
  const isolation = isolationSchema.safeParse(row.isolation);
  return {
    id: row.id,
    level: row.level,
    verdict: row.verdict,
    byCount: row.byCount,
    reason: row.reason,
    destination: row.backup.copies.find((copy) => copy.id === row.copyId)?.destination.name ?? "",
    operationId: row.operationId,
    startedAt: row.startedAt.toISOString(),
    finishedAt: row.finishedAt.toISOString(),
    restoreSeconds: row.restoreSeconds,
    isolation: isolation.success ? isolation.data : null,
    tables: byInterest(report.tables).slice(0, FIRST_TABLES),
    tableCounts: {
      equal: report.tables.filter((table) => table.equal === true).length,
      different: report.tables.filter((table) => table.equal === false).length,
      notCompared: report.tables.filter((table) => table.equal === null).length,
    },
    checks: report.checks,
    tools: report.tools,
    sandbox: report.sandbox,
    seconds: report.seconds,
  };
}

/** Different ones first, then those not compared, then by name. */
export function byInterest(tables: ComparedTable[]): ComparedTable[] {
  const rank = (table: ComparedTable) => (table.equal === false ? 0 : table.equal === null ? 1 : 2);
  return tables.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
