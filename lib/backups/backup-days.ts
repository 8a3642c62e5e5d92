import type { z } from "zod";
import type { Ctx } from "../context.ts";
import { findDatabase } from "../databases/find-database.ts";
import { type BackupDay, backupDaysQuery } from "./schema.ts";

/**
 * The days with backups of a database, oldest first, as its calendar shows them, in the given time zone. Runs
 * that somebody cancelled, and those under way, are no days of their own.
 */
export async function backupDays(
  ctx: Ctx,
  database: string,
  input: z.input<typeof backupDaysQuery>,
): Promise<BackupDay[]> {
  const { id } = await findDatabase(ctx, ctx.db, database, "read");
  const { days, zone } = backupDaysQuery.parse(input);
  const since = new Date(ctx.clock.now().getTime() - days * 86_400_000);
  return await ctx.db.$queryRaw<BackupDay[]>`
    SELECT to_char(created_at AT TIME ZONE ${zone}, 'YYYY-MM-DD') AS day,
      count(*) FILTER (WHERE state IN ('complete', 'partial') AND proof_verdict = 'proven')::int AS proven,
      count(*) FILTER (WHERE state IN ('complete', 'partial')
        AND (proof_verdict IS NULL OR proof_verdict = 'unverifiable'))::int AS unproven,
      count(*) FILTER (WHERE state IN ('failed', 'interrupted') OR proof_verdict = 'failed')::int AS failed
    FROM backup
    WHERE database_id = ${id}::uuid AND created_at >= ${since}
      AND state IN ('complete', 'partial', 'failed', 'interrupted')
    GROUP BY 1 ORDER BY 1`;
}
