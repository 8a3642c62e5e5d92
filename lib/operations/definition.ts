import type { z } from "zod";

/**
 * What kind of work an operation is. Importable by web and worker; the work itself is in *.handler.ts.
 * Payloads hold ids only; new fields are optional, so that waiting jobs of the last version stay readable.
 */
export interface OperationDefinition<P extends z.ZodType = z.ZodType> {
  kind: string;
  payload: P;
  /** 2 for what may be tried again after its worker was lost, 1 for what must not (restore, apply). */
  maxAttempts: 1 | 2;
  /** Seconds without progress after which it has failed. */
  stallSeconds: number;
  /** Takes the database's slot: one dump, restore or change at a time. */
  exclusive: boolean;
  /** Takes one of the server's N slots. */
  usesServer: boolean;
}

export function defineOperation<P extends z.ZodType>(
  definition: OperationDefinition<P>,
): OperationDefinition<P> {
  return Object.freeze(definition);
}
