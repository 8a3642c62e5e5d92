import type { Tx } from "../db/client.ts";
import { emitEvent } from "../events/emit.ts";
import { LOG_CHANNEL } from "./channels.ts";

/**
 * Adds a sentence to the reason of an attempt that has ended, and to its log: what only its clean-up could find out.
 * In the caller's transaction.
 */
export async function amendEnd(
  tx: Tx,
  { operationId, attempt }: { operationId: string; attempt: number },
  sentence: string,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE operation SET reason = concat_ws(' ', reason, ${sentence}::text),
           error = CASE WHEN jsonb_typeof(error) = 'object'
             THEN jsonb_set(error, '{message}', to_jsonb(concat_ws(' ', error->>'message', ${sentence}::text))) ELSE error END
     WHERE id = ${operationId}::uuid AND attempt = ${attempt}
       AND state IN ('failed', 'cancelled', 'interrupted')`;
  await tx.$executeRaw`
    UPDATE operation_transition SET reason = concat_ws(' ', reason, ${sentence}::text)
     WHERE id = (SELECT max(id) FROM operation_transition WHERE operation_id = ${operationId}::uuid AND attempt = ${attempt})`;
  await tx.operationLog.create({
    data: { operationId, attempt, step: null, level: "warn", line: sentence, at: new Date() },
  });
  await tx.$executeRaw`SELECT pg_notify(${LOG_CHANNEL}, ${operationId})`;
  await emitEvent(tx, "operations", operationId);
}
