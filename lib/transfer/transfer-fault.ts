import { HoldfastError, isHoldfastError, messageOf } from "../errors.ts";

/** Message and remedy in one text, for reasons that are stored. */
export function reasonOf(error: unknown): string {
  if (isHoldfastError(error) && error.remedy) return `${error.message} ${error.remedy}`;
  return messageOf(error);
}

/**
 * Whether a fault lies with the means of a check and not with the backup: then the verdict is "unverifiable".
 * The adapters throw these codes for missing programs, sandboxes, extensions, disk budgets and lost servers.
 */
export function isInfrastructure(error: unknown): boolean {
  const codes = ["unavailable", "timeout", "throttled", "forbidden"];
  return error instanceof HoldfastError && codes.includes(error.code);
}
