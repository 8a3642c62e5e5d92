import { isHoldfastError, messageOf } from "../errors.ts";

/** What the person at the console reads when a start failed: the sentence and what to do; a stack if it is ours. */
export function explain(error: unknown): string {
  if (isHoldfastError(error)) return error.remedy ? `${error.message} ${error.remedy}` : error.message;
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && code.startsWith("ERR_PARSE_ARGS")) {
    return `${messageOf(error)} Known: npm start -- --demo`;
  }
  return error instanceof Error && error.stack ? error.stack : messageOf(error);
}
