import { existsSync } from "node:fs";
import path from "node:path";
import type { CommandOptions } from "./run-command.ts";

/** C's stdio writes 4 KiB at a time into a pipe; each write costs the writer and its reader a system call. */
const BLOCK = "256K";

/**
 * The same command, started through coreutils' stdbuf so that it writes its output in blocks of 256 KiB; unchanged
 * where there is no stdbuf (macOS). For programs that write much through C's stdio: dump tools. stdbuf replaces
 * itself with the program, so process id, signals and exit code are the program's own.
 */
export function inLargeBlocks(command: CommandOptions, search = process.env.PATH ?? ""): CommandOptions {
  const stdbuf = search
    .split(path.delimiter)
    .map((folder) => path.join(folder, "stdbuf"))
    .find((program) => path.isAbsolute(program) && existsSync(program));
  if (!stdbuf) return command;
  return { ...command, launcher: [stdbuf, `--output=${BLOCK}`] };
}
