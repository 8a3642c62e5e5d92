import { HoldfastError } from "../errors.ts";

/**
 * Throws `conflict` when the server that was reached is not the one whose slots the operation holds: the
 * connection was changed, or leads elsewhere since, and somebody else may be at work there.
 */
export function requireSameServer(reached: string, held: string): void {
  if (reached === held) return;
  throw new HoldfastError("conflict", "The connection leads to another server than a moment ago.", {
    remedy: "Look at the database's connection, then try again.",
  });
}
