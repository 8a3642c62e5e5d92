import type { z } from "zod";
import type { Ctx } from "../context.ts";
import { HoldfastError } from "../errors.ts";
import type { Page } from "../paging.ts";
import type { ComparedTable } from "../proof/schema.ts";
import { proofReportSchema } from "../proof/schema.ts";
import { speaksFor } from "./current-proof.ts";
import { findBackup } from "./find-backup.ts";
import { byInterest } from "./proof-dto.ts";
import { listProofTablesQuery } from "./schema.ts";

/**
 * The tables that a proof compared, by default of the one that speaks for the backup: different ones first,
 * then those not compared, then by name.
 */
export async function listProofTables(
  ctx: Ctx,
  backupId: string,
  input: z.input<typeof listProofTablesQuery>,
): Promise<Page<ComparedTable>> {
  const backup = await findBackup(ctx, ctx.db, backupId, "read");
  const query = listProofTablesQuery.parse(input);
  const proofs = await ctx.db.proof.findMany({
    where: { backupId: backup.id, ...(query.proof ? { id: query.proof } : {}) },
    orderBy: [{ finishedAt: "desc" }, { id: "desc" }],
    select: { id: true, copyId: true, level: true, verdict: true, finishedAt: true },
  });
  const chosen = query.proof ? proofs[0] : speaksFor(proofs);
  if (!chosen) return { items: [], nextCursor: null };
  const { report } = await ctx.db.proof.findUniqueOrThrow({
    where: { id: chosen.id },
    select: { report: true },
  });
  const tables = byInterest(
    proofReportSchema.shape.tables.parse((report as { tables?: unknown }).tables),
  ).filter((table) => matches(table, query));
  const start = offsetOf(query.cursor);
  const end = start + query.limit;
  return {
    items: tables.slice(start, end),
    nextCursor: end < tables.length ? Buffer.from(`t${end}`).toString("base64url") : null,
  };
}

function matches(table: ComparedTable, query: z.output<typeof listProofTablesQuery>): boolean {
  if (query.q && !table.name.toLowerCase().includes(query.q.toLowerCase())) return false;
  if (query.result === "different") return table.equal === false;
  if (query.result === "equal") return table.equal === true;
  if (query.result === "notCompared") return table.equal === null;
  return true;
}

/** A finished proof never changes, so a position in it is a sound cursor. */
function offsetOf(cursor: string | undefined): number {
  if (!cursor) return 0;
  const match = /^t(\d{1,9})$/.exec(Buffer.from(cursor, "base64url").toString("utf8"));
  if (match) return Number(match[1]);
  throw new HoldfastError("invalid", "This page cursor is not one of ours.", {
    remedy: "Start again without the cursor.",
    fields: { cursor: "not a cursor" },
  });
}
