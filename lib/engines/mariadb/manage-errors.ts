import { HoldfastError } from "../../errors.ts";
import { isDenied, numberOf, sentenceOf } from "./connect-errors.ts";

const LOCK_WAIT_TIMEOUT = 1205;

/** The error of a user who may not do that says so; others stay what they are. */
export function explained(error: unknown, what: string): unknown {
  if (error instanceof HoldfastError) return error;
  if (numberOf(error) === LOCK_WAIT_TIMEOUT) {
    return new HoldfastError("conflict", `A table is in use by another session: could not ${what}.`, {
      remedy: "Stop the applications that use it, then try again.",
      cause: error,
    });
  }
  if (!isDenied(error)) return error;
  return new HoldfastError("refused", `This user may not ${what}: ${sentenceOf(error)}.`, {
    remedy:
      "Connect as a user with ALL PRIVILEGES on the databases in question (a pattern such as `shop%` will do).",
    cause: error,
  });
}

export function taken(name: string, cause?: unknown): HoldfastError {
  return new HoldfastError("conflict", `There is a database ${name} on this server already.`, {
    remedy: "Choose another name.",
    ...(cause === undefined ? {} : { cause }),
  });
}

export function inUse(name: string, who: string): HoldfastError {
  return new HoldfastError("conflict", `Database ${name} is in use${who === "" ? "" : `: ${who}`}.`, {
    remedy: "Stop the applications that use it, or ask for their sessions to be ended.",
  });
}
