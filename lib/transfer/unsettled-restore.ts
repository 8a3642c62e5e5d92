import { z } from "zod";
import type { SettledSwap, Swap } from "../engines/engine.ts";
import { HoldfastError, isHoldfastError } from "../errors.ts";

const side = z.object({ name: z.string(), id: z.string() });

/**
 * What a restore writes down before it begins: that a half-restored database may be there, and later the swap that
 * it is about to make.
 */
export const unsettledRestore = z.object({
  swap: z.object({ from: side, to: side, oldName: z.string(), closes: z.boolean() }).nullable(),
});

/** How far a swap came, for people: where both databases are now, and how to go back or drop the one before. */
export function describeSettled({ to }: Swap, settled: SettledSwap): string {
  if (!settled.done) return `${to.name} was left as it is.`;
  const now = `${to.name} is the restored database now`;
  if (!settled.kept) return `${now}, and the one before was dropped.`;
  const { name, drop, goBack } = settled.kept;
  return `${now}; the one before is kept as ${name}. To drop it: ${drop} To go back instead, with nobody connected to either: ${goBack}`;
}

/** An error that ended a restore over a database says that this one was not touched. */
export function untouched(target: string, error: unknown): unknown {
  if (!isHoldfastError(error)) return error;
  const { code, message, remedy } = error;
  const said = `${target} was left as it is.`;
  if (message.startsWith(said)) return error;
  const details = { cause: error, ...(remedy === undefined ? {} : { remedy }) };
  return new HoldfastError(code, `${said} ${message}`, details);
}
