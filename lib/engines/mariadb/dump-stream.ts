import type { Readable } from "node:stream";
import { Transform } from "node:stream";
import { HoldfastError } from "../../errors.ts";
import type { CommandOptions } from "../../process/run-command.ts";
import { streamCommand } from "../../process/run-command.ts";

/** The first words of a dump; newer programs write a line before them that their own client heeds. */
export const HEAD = /^(?:\/\*M?!999999\\- enable the sandbox mode \*\/ ?\r?\n)?-- (?:MariaDB|MySQL) dump \d/;
/** Its last line, whole. */
const TAIL = /\n-- Dump completed(?: on [^\n]*)?\n$/;
/** The first comment after the settings: written when the program's transaction has begun. */
const BODY =
  /\n-- (?:Table structure|Temporary (?:table|view) structure|Sequence structure|Dumping|Final view)/;
const ENOUGH_BYTES = 64 * 1024;
const TAIL_BYTES = 512;

/** Follows a dump's bytes: where it begins, when its body has begun, and whether it came to its end. */
export class DumpFollower {
  #head = "";
  #tail = "";
  #bytes = 0;
  /** Whether bytes after the settings were seen: the program's snapshot is taken. */
  begun = false;
  /** Set by whoever reads the dump, at its last byte. */
  ended = false;

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#tail = (this.#tail + chunk.subarray(-TAIL_BYTES).toString("latin1")).slice(-TAIL_BYTES);
    if (this.begun) return;
    this.#head += chunk.toString("latin1");
    this.begun = BODY.test(this.#head) || this.#head.length > ENOUGH_BYTES;
    if (this.#head.length > ENOUGH_BYTES) this.#head = this.#head.slice(0, ENOUGH_BYTES);
  }

  /** Why this is no whole dump, or null. */
  fault(): string | null {
    if (this.#bytes === 0) return "it is empty";
    if (!HEAD.test(this.#head)) return "it does not begin like a dump of MariaDB or MySQL";
    return TAIL.test(`\n${this.#tail}`) ? null : "its closing line is missing";
  }
}

export interface FollowedStream {
  stream: Readable;
  done: Promise<void>;
  /** Settles when the program's snapshot is taken, or when it has ended. */
  begun: Promise<void>;
}

/** Runs the dump program and reads along. Stream and `done` fail with the explained error, also for want of a last line. */
export function openDump(command: CommandOptions, explain: (error: unknown) => unknown): FollowedStream {
  const run = streamCommand(command);
  const follower = new DumpFollower();
  const asError = (error: unknown): Error => {
    const explained = explain(error);
    return explained instanceof Error ? explained : new Error(String(explained));
  };
  let known: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    known = resolve;
  });
  let fault: Error | null = null;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      follower.add(chunk);
      if (follower.begun) known();
      callback(null, chunk);
    },
    flush(callback) {
      const why = follower.fault();
      if (why !== null) fault = new HoldfastError("unavailable", `The dump program ended well, but ${why}.`);
      callback(fault);
    },
  });
  run.stdout.pipe(stream);
  run.stdout.once("error", (error) => stream.destroy(asError(error)));
  // `done` tells of it, too: where nobody reads the stream, its error must not end the process.
  stream.on("error", () => undefined);
  stream.once("close", () => {
    known();
    run.stdout.destroy();
  });
  const done = run.done.then(
    () => {
      known();
      if (fault) throw fault;
    },
    (error: unknown) => {
      known();
      throw asError(error);
    },
  );
  done.catch(() => undefined);
  return { stream, done, begun };
}
