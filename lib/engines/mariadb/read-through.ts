import type { Readable } from "node:stream";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HoldfastError } from "../../errors.ts";
import type { WorkContext } from "../engine.ts";
import { DumpFollower } from "./dump-stream.ts";
import { notWhole } from "./restore-errors.ts";
import { StatementRewriter } from "./statements.ts";

/**
 * Reads a dump to its end, statement by statement, without a server. Throws `invalid` when it is not whole: its
 * first words, its last line, or a statement that has no end.
 */
export async function readThrough(dump: Readable, work: WorkContext): Promise<void> {
  const follower = new DumpFollower();
  const follow = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      follower.add(chunk);
      yield chunk;
    }
  };
  const nowhere = new Writable({ write: (_chunk, _encoding, callback) => callback() });
  const statements = new StatementRewriter({ database: "", definers: "keep" });
  try {
    await pipeline(dump, follow, statements, nowhere, { signal: work.signal });
  } catch (error) {
    work.signal.throwIfAborted();
    if (error instanceof HoldfastError && error.code === "refused") throw notWhole(error.message);
    throw error;
  }
  const fault = follower.fault() ?? (statements.complete ? null : "its last statement has no end");
  if (fault !== null) throw notWhole(fault);
}
