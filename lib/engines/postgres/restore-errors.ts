import { HoldfastError } from "../../errors.ts";
import { CommandError } from "../../process/command-error.ts";

/** What kind of failure a text of pg_restore or of the server is; the first pattern that matches decides. */
const CAUSES: [RegExp, "unavailable" | "invalid" | "refused", string][] = [
  [
    /extension "[^"]+" is not available|could not open extension control file|extension "[^"]+" has no installation script/,
    "unavailable",
    "Install the extension on the target server, then try again.",
  ],
  [
    /could not (access|load|open) (file|library)|shared_preload_libraries|provider "[^"]+" is not loaded/,
    "unavailable",
    "Install or preload the library that the object needs on the target server, then try again.",
  ],
  [
    /language "[^"]+" does not exist|collation "[^"]+" for encoding|collation provider|could not create locale|invalid locale|ICU is not supported/,
    "unavailable",
    "Install the language or locale on the target server, then try again.",
  ],
  [
    /role "[^"]+" does not exist/,
    "unavailable",
    "Create the roles on the target server first; globals.sql of the backup has them.",
  ],
  [
    /must be (superuser|owner)|permission denied|must have CREATEROLE/,
    "unavailable",
    "Restore with a user that may create all of it, for example a superuser.",
  ],
  [
    /No space left on device|could not extend file|disk full/,
    "unavailable",
    "Make room on the target server's disk, then try again.",
  ],
  [
    /server closed the connection|terminating connection|the database system is (shutting|in recovery)|connection to server|SSL SYSCALL|could not connect/,
    "unavailable",
    "Check that the target server runs, then try again.",
  ],
  [
    /out of shared memory|out of memory|max_locks_per_transaction/,
    "unavailable",
    "Give the target server more memory or locks (max_locks_per_transaction), then try again.",
  ],
  [
    /has no equivalent in encoding|invalid byte sequence for encoding/,
    "unavailable",
    "Restore into a database of the same encoding.",
  ],
  [
    /unsupported version|could not read from input file|unexpected end of file|corrupt|could not find block ID|found unexpected block|did not find magic string|could not uncompress|not a valid archive|appears to be a text format/,
    "invalid",
    "Use another copy or another backup; this one can't be restored.",
  ],
];

/** Whether pg_restore, of 17 or later, stumbled over a setting that the older target does not have. */
export function isUnknownSetting(line: string): boolean {
  return /unrecognized configuration parameter "transaction_timeout"/.test(line);
}

/**
 * Says why a restore failed. `unavailable`: this machine or the target lacks something, the dump may be
 * good. `invalid`: the dump itself can't be read. `refused`: it was read, and the server rejected it.
 */
export function restoreError(error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  // What comes before is progress, with names of objects in it.
  const text = error.stderrTail.slice(Math.max(0, error.stderrTail.indexOf("pg_restore: error:")));
  const [, code, remedy] = CAUSES.find(([pattern]) => pattern.test(text)) ?? [null, "refused", undefined];
  const first = /error: ([\s\S]*?)(?=\npg_restore|$)/.exec(text)?.[1]?.trim().slice(0, 1000);
  const entry = /from TOC entry \d+; \d+ \d+ (.*)/.exec(error.stderrTail)?.[1];
  const where = entry ? ` at ${entry.trim()}` : "";
  const details = { cause: error, ...(remedy === undefined ? {} : { remedy }) };
  if (code === "invalid") {
    return new HoldfastError(
      "invalid",
      `The dump can't be read to its end: ${first ?? error.message}`,
      details,
    );
  }
  return new HoldfastError(code, `The restore stopped${where}: ${first ?? error.message}`, details);
}
