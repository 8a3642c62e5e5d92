import type { Readable } from "node:stream";
import { HoldfastError } from "../../errors.ts";
import { CommandError } from "../../process/command-error.ts";
import { runCommand } from "../../process/run-command.ts";
import type { WorkContext } from "../engine.ts";
import { peekToc } from "./archive-toc.ts";
import { chooseTools, findClientTools } from "./tools.ts";

/**
 * Reads a dump to its end with pg_restore, without a server. Throws `invalid` when it is not whole,
 * `unavailable` when there is no pg_restore here that knows its format.
 */
export async function readThrough(dump: Readable, work: WorkContext): Promise<void> {
  const { head, stream } = await peekToc(dump, undefined, (parser) => parser.head !== null);
  try {
    const tools = chooseTools(await findClientTools(), Number.parseInt(head.dumpVersion, 10));
    const args = ["--format=custom", "--file=/dev/null"];
    const { tempDir, signal } = work;
    await runCommand({ program: tools.pgRestore, args, stdin: stream, tempDir, signal });
  } catch (error) {
    stream.destroy();
    if (!(error instanceof CommandError)) throw error;
    const said = /error: (.*)/.exec(error.stderrTail)?.[1] ?? error.message;
    throw new HoldfastError("invalid", `The dump can't be read to its end: ${said}`, {
      remedy: "Use another copy or another backup; this one can't be restored.",
      cause: error,
    });
  }
}
