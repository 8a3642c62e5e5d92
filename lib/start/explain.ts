import { isHoldfastError, messageOf } from "../errors.ts";

/** Of Node's sockets, and of PostgreSQL: wrong sign-in, no such database, still starting (errcodes.txt). */
const NO_CONNECTION =
  /^(E(NOTFOUND|AI_AGAIN|CONNREFUSED|CONNRESET|TIMEDOUT|HOSTUNREACH|NETUNREACH)|28P01|28000|3D000|57P03)$/;

/** What the person at the console reads when a start failed: the sentence and what to do; a stack if it is ours. */
export function explain(error: unknown): string {
  if (isHoldfastError(error)) return error.remedy ? `${error.message} ${error.remedy}` : error.message;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && code.startsWith("ERR_PARSE_ARGS")) {
    return `${messageOf(error)} Known: npm start -- --demo`;
  }
  if (typeof code === "string" && NO_CONNECTION.test(code)) {
    const why = messageOf(error) || code;
    return `Holdfast's database could not be reached: ${why}. Check DATABASE_URL and HOLDFAST_OWNER_DATABASE_URL, and that the server is up.`;
  }
  return error instanceof Error && error.stack ? error.stack : messageOf(error);
}
