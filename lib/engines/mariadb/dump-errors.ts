import { HoldfastError } from "../../errors.ts";
import { CommandError } from "../../process/command-error.ts";
import { isConnectionLost, isDenied, numberOf, sentenceOf } from "./connect-errors.ts";

/** The last thing that a client program said, without its name and what it was doing. */
export function lastError(text: string): string {
  const lines = text.split("\n").filter((line) => /error|ERROR|Couldn't|failed/i.test(line));
  return (
    lines.at(-1)?.replace(/^\S*(?:mysqldump|mariadb-dump|mariadb|mysql): /, "") ?? text.trim().slice(-300)
  );
}

/** Says in a sentence why the dump program failed, and what to do; other errors pass as they are. */
export function dumpError(error: unknown, user: string): unknown {
  if (!(error instanceof CommandError)) return error;
  const text = error.stderrTail;
  const program = error.program.split("/").at(-1) ?? error.program;
  const said = lastError(text);
  // EX_MYSQLERR without a word: some of its queries report nothing when the server goes away under them.
  const silent = text.trim() === "" && error.code === 2;
  const fail = (code: "refused" | "unavailable" | "timeout", message: string, remedy: string) =>
    new HoldfastError(code, message, { remedy, cause: error });
  if (
    /\b(1044|1045|1142|1143|1227|1370)\b|Access denied|insufficent privileges|insufficient privileges/i.test(
      text,
    )
  ) {
    return fail(
      "refused",
      `User ${user} may not read all of the database: ${said}.`,
      "Run the preflight: it lists the grants that are missing.",
    );
  }
  if (/\b(1356|1449)\b/.test(text)) {
    return fail(
      "refused",
      `A view can't be dumped: ${said}.`,
      "Correct the view or drop it; the preflight lists all of them.",
    );
  }
  if (/\b1412\b|definition has changed/i.test(text)) return definitionChanged(error);
  if (/\b1205\b|Lock wait timeout/i.test(text)) {
    return fail(
      "timeout",
      "A table was locked by another session for longer than the lock wait limit.",
      "Wait until that session (often a migration) has ended, then back up again.",
    );
  }
  if (
    silent ||
    /\b(2002|2003|2006|2013|2055|1053|1927)\b|Lost connection|gone away|server has been shut/i.test(text)
  ) {
    return fail(
      "unavailable",
      `The connection to the server was lost while ${program} ran${silent ? "" : `: ${said}`}.`,
      "Check that the server runs, then back up again.",
    );
  }
  return fail(
    "unavailable",
    `${program} failed: ${said || error.message}`,
    "The operation's log has all that it said.",
  );
}

function definitionChanged(cause: unknown): HoldfastError {
  return new HoldfastError("unavailable", "A table's definition was changed while the dump ran.", {
    remedy: "Back up again when the migration has ended.",
    cause,
  });
}

/** Explains a failure of our own statements on the source. */
export function sourceError(error: unknown, user: string): unknown {
  if (error instanceof HoldfastError) return error;
  if (isDenied(error)) {
    return new HoldfastError(
      "refused",
      `User ${user} may not read all of the database: ${sentenceOf(error)}.`,
      {
        remedy: "Run the preflight: it lists the grants that are missing.",
        cause: error,
      },
    );
  }
  if (numberOf(error) === 1412) return definitionChanged(error);
  if (isConnectionLost(error)) {
    return new HoldfastError("unavailable", `The connection to the server was lost: ${sentenceOf(error)}.`, {
      remedy: "Check that the server runs, then back up again.",
      cause: error,
    });
  }
  return error;
}
