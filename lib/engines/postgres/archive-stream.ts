import type { Readable } from "node:stream";
import { Transform } from "node:stream";
import { messageOf } from "../../errors.ts";
import type { CommandOptions } from "../../process/run-command.ts";
import { streamCommand } from "../../process/run-command.ts";
import { TocParser } from "./archive-toc.ts";
import type { SchemaDigests } from "./schema-digest.ts";
import { SchemaDigest } from "./schema-digest.ts";

export interface ArchiveStream {
  stream: Readable;
  done: Promise<void>;
  /** Digests of the archive's own table of contents, or why there are none. */
  schema: Promise<SchemaDigests | { failed: string }>;
}

/** Runs a program and hands out its output; both stream and `done` fail with the explained error. */
export function openStream(
  command: CommandOptions,
  explain: (error: unknown) => unknown,
  tap: (chunk: Buffer) => void = () => undefined,
): { stream: Readable; done: Promise<void> } {
  const run = streamCommand(command);
  const asError = (error: unknown): Error => {
    const explained = explain(error);
    return explained instanceof Error ? explained : new Error(String(explained));
  };
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, callback) => {
      tap(chunk);
      callback(null, chunk);
    },
  });
  run.stdout.pipe(stream);
  run.stdout.once("error", (error) => stream.destroy(asError(error)));
  // `done` tells of it, too: where nobody reads the stream, its error must not end the process.
  stream.on("error", () => undefined);
  stream.once("close", () => run.stdout.destroy());
  const done = run.done.then(
    () => undefined,
    (error: unknown) => {
      throw asError(error);
    },
  );
  done.catch(() => undefined);
  return { stream, done };
}

/** Runs pg_dump and reads along: its archive begins with the definitions of all objects. */
export function openArchive(command: CommandOptions, explain: (error: unknown) => unknown): ArchiveStream {
  const digest = new SchemaDigest();
  const parser = new TocParser((entry) => digest.add(entry));
  let known: (schema: SchemaDigests | { failed: string }) => void = () => undefined;
  const schema = new Promise<SchemaDigests | { failed: string }>((resolve) => {
    known = resolve;
  });
  let reading = true;
  const readAlong = (chunk: Buffer): void => {
    if (!reading) return;
    try {
      parser.write(chunk);
      if (parser.finished) known(digest.finish());
      reading = !parser.finished;
    } catch (error) {
      reading = false;
      known({ failed: messageOf(error) });
    }
  };
  const { stream, done } = openStream(command, explain, readAlong);
  stream.once("close", () => known({ failed: "the dump ended before its table of contents was read" }));
  return { stream, done, schema };
}

/** Digests of a database's schema, by a pg_dump of definitions alone. */
export async function digestSchema(
  command: CommandOptions,
  explain: (error: unknown) => unknown,
): Promise<SchemaDigests | { failed: string }> {
  const archive = openArchive(command, explain);
  archive.stream.resume();
  await archive.done;
  return await archive.schema;
}
