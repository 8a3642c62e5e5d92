import { HoldfastError, messageOf } from "../../errors.ts";

/** Primary result codes (sqlite.org/rescode.html). */
export const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
export const SQLITE_CORRUPT = 11;
export const SQLITE_NOTADB = 26;

/** The primary code of an error of SQLite, or of one that sqliteError made of it; 0 for any other error. */
export function resultCode(error: unknown): number {
  const { errcode, cause } = error as { errcode?: number; cause?: { errcode?: number } };
  return Number(errcode ?? cause?.errcode ?? 0) & 0xff;
}

/** An SQLite error as one for people: `invalid` for what the file holds, else `unavailable`. */
export function sqliteError(error: unknown, file: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const primary = resultCode(error);
  const because = messageOf(error);
  const details = { cause: error };
  if (primary === SQLITE_BUSY || primary === SQLITE_LOCKED) {
    return new HoldfastError("unavailable", `${file} is locked by another program: ${because}.`, {
      ...details,
      remedy: "Wait until that program has finished its write, or end it, and try again.",
    });
  }
  if (primary === SQLITE_READONLY) {
    return new HoldfastError(
      "unavailable",
      `${file} needs a recovery that only a writer can do: ${because}.`,
      {
        ...details,
        remedy: `Open it once with the program that owns it, or run: sqlite3 ${file} 'PRAGMA schema_version'`,
      },
    );
  }
  if (primary === SQLITE_NOTADB)
    return new HoldfastError("unavailable", `${file} is not an SQLite database.`, details);
  if (primary === SQLITE_CORRUPT) {
    const remedy = "Go back to the last proven backup, or save what can be read: sqlite3 FILE .recover";
    return new HoldfastError("invalid", `${file} is damaged: ${because}.`, { ...details, remedy });
  }
  return new HoldfastError("unavailable", `SQLite could not read ${file}: ${because}.`, {
    ...details,
    remedy: "See that the worker's user may read the file, and its -wal and -shm beside it.",
  });
}

/** A failed look at a file, in words. */
export function unreadable(error: unknown, file: string): HoldfastError {
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === "ENOENT" || code === "ENOTDIR"
      ? "does not exist on this worker's machine"
      : code === "EACCES" || code === "EPERM"
        ? "may not be read by the worker's user"
        : `can't be read: ${messageOf(error)}`;
  return new HoldfastError("unavailable", `${file} ${why}.`, {
    remedy: "Correct the path, or let the worker's user read the file and its folder.",
    cause: error,
  });
}

/** Whether another program's lock is in the way. */
export function isLocked(error: unknown): boolean {
  return [SQLITE_BUSY, SQLITE_LOCKED].includes(resultCode(error));
}
