import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { throwIfAborted } from "../abort.ts";
import type { Artefact } from "../backups/manifest.ts";
import type { DumpArtefact } from "../engines/engine.ts";
import { ageEncrypt } from "./age-stream.ts";
import type { CopyFault, CopyReader } from "./copy-reader.ts";
import type { FanOut } from "./fan-out.ts";
import { hashTap } from "./hashing.ts";
import { ZstdStage } from "./zstd-stage.ts";

export interface StoreOptions {
  /** age recipients; empty leaves the artefact unencrypted. */
  recipients: string[];
  /** zstd's, 1 to 9; 1 by default. */
  compressionLevel?: number | undefined;
  signal: AbortSignal;
  /** Plain bytes so far. */
  onBytes(bytes: number): void;
}

/**
 * One pass over one artefact: the program's output, counted and hashed, through zstd and age, hashed again,
 * into every destination at once. Throws when the program failed or no destination is left; then nothing of
 * it has been ended or published. Publishing is the caller's.
 */
export async function storeArtefact(
  artefact: DumpArtefact,
  fanOut: FanOut,
  options: StoreOptions,
): Promise<Artefact> {
  const encrypted = options.recipients.length > 0;
  const file = `${artefact.file}.zst${encrypted ? ".age" : ""}`;
  const plain = new ZstdStage(options.onBytes, options.compressionLevel);
  const stored = hashTap();
  const middle: Duplex[] = encrypted ? [plain, await ageEncrypt(options.recipients)] : [plain];
  const sink = await fanOut.open(file);

  const { stream, done } = artefact.open();
  const piped = pipeline([stream, ...middle, stored.stream, sink], { signal: options.signal });
  const [pipe, program] = await Promise.allSettled([piped, done]);
  throwIfAborted(options.signal);
  // A program that fails cuts its own output short; its reason says more than the pipe's. But when the pipe
  // broke first, the program only ended because nobody read it.
  if (pipe.status === "rejected" && !endedEarly(pipe.reason)) throw pipe.reason;
  if (program.status === "rejected") throw program.reason;
  if (pipe.status === "rejected") throw pipe.reason;

  const plainSum = plain.sum();
  const storedSum = stored.sum();
  return {
    name: artefact.name,
    file,
    bytes: storedSum.bytes,
    sha256: storedSum.sha256,
    plainBytes: plainSum.bytes,
    plainSha256: plainSum.sha256,
    compression: "zstd",
    encryption: encrypted ? "age" : null,
  };
}

/**
 * One pass over one artefact of a copy that is there, hashed, into every destination at once. Returns what is wrong
 * with the copy, if anything is; throws when no destination is left. Nothing of it is ended or published here.
 */
export async function storeAgain(
  artefact: Artefact,
  reader: CopyReader,
  fanOut: FanOut,
  signal: AbortSignal,
): Promise<CopyFault | null> {
  const sink = await fanOut.open(artefact.file);
  const read = await reader.openStored(artefact);
  if ("fault" in read) return read.fault;
  const [piped] = await Promise.allSettled([pipeline([read.stream, sink], { signal })]);
  throwIfAborted(signal);
  const fault = read.judge();
  if (fault) return fault;
  if (piped.status === "rejected") throw piped.reason;
  return null;
}

function endedEarly(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
