import { HoldfastError, messageOf } from "../../errors.ts";
import { codeOf } from "./connect-errors.ts";

const NO_PRIVILEGE = "42501";

/** The error of a user who may not do that says so; others stay what they are. */
export function explained(error: unknown, what: string): unknown {
  if (codeOf(error) === NO_PRIVILEGE) {
    return new HoldfastError("refused", `This user may not ${what}: ${messageOf(error)}.`, {
      remedy: "Connect as a user with CREATEDB that owns the database, or as a superuser.",
      cause: error,
    });
  }
  return error;
}

export function taken(name: string, cause?: unknown): HoldfastError {
  return new HoldfastError("conflict", `There is a database ${name} on this server already.`, {
    remedy: "Choose another name.",
    ...(cause === undefined ? {} : { cause }),
  });
}

export function inUse(name: string, who: string, cause?: unknown): HoldfastError {
  return new HoldfastError("conflict", `Database ${name} is in use${who === "" ? "" : `: ${who}`}.`, {
    remedy: "Stop the applications that use it, or ask for their sessions to be ended.",
    ...(cause === undefined ? {} : { cause }),
  });
}
