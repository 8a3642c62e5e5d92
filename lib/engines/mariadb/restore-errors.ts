import { HoldfastError, messageOf } from "../../errors.ts";
import { CommandError } from "../../process/command-error.ts";
import { isConnectionLost, isDenied, sentenceOf } from "./connect-errors.ts";
import { lastError } from "./dump-errors.ts";

/** Error numbers of the server and the client (MariaDB manual, "MariaDB Error Codes") that say nothing about the dump. */
const CAUSES: { numbers: number[]; remedy: string }[] = [
  {
    // Collation, character set, storage engine, feature or plugin that is not there.
    numbers: [1115, 1128, 1273, 1286, 1289, 1524],
    remedy: "Restore into a server that has it: of the same kind, and of the dumped version or newer.",
  },
  {
    numbers: [1044, 1045, 1142, 1143, 1227, 1370, 1419],
    remedy: "Restore with a user that may create all of it, for example with ALL PRIVILEGES on the database.",
  },
  {
    // Disk or table full, no memory.
    numbers: [3, 1021, 1026, 1037, 1038, 1041, 1114],
    remedy: "Make room on the target server, then try again.",
  },
  {
    numbers: [1053, 1927, 2002, 2003, 2006, 2013, 2026, 2055],
    remedy: "Check that the target server runs, then try again.",
  },
  { numbers: [1153], remedy: "Raise max_allowed_packet at the target server, then try again." },
  {
    numbers: [1049],
    remedy: "The dump refers to another database of its server, which must be there, too.",
  },
];

/**
 * Says why a restore failed. `unavailable`: this machine or the target lacks something, the dump may be good.
 * `refused`: it was read, and the server rejected it.
 */
export function restoreError(error: unknown): unknown {
  if (error instanceof HoldfastError) return error;
  if (!(error instanceof CommandError)) {
    if (!isConnectionLost(error) && !isDenied(error)) return error;
    return new HoldfastError("unavailable", `The restore stopped: ${sentenceOf(error)}.`, { cause: error });
  }
  const said = lastError(error.stderrTail) || messageOf(error);
  const number = Number(/ERROR (\d+)/.exec(said)?.[1] ?? 0);
  const found = CAUSES.find(({ numbers }) => numbers.includes(number));
  return new HoldfastError(found ? "unavailable" : "refused", `The restore stopped: ${said.slice(0, 1000)}`, {
    cause: error,
    ...(found ? { remedy: found.remedy } : {}),
  });
}

/** The dump itself is not whole. */
export function notWhole(why: string): HoldfastError {
  return new HoldfastError("invalid", `The dump can't be read to its end: ${why}.`, {
    remedy: "Use another copy or another backup; this one can't be restored.",
  });
}
