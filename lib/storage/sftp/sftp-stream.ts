import { Readable, Writable } from "node:stream";
import type { SFTPWrapper } from "ssh2";
import { HoldfastError } from "../../errors.ts";
import { call } from "./sftp-call.ts";

/** Every server takes packets of this size. */
const PIECE = 32 * 1024;
/** Requests on the way at once: 2 MiB, so that a distant server is not waited for piece by piece. */
const WINDOW = 64;

/** An error as what the person who asked is told. */
type AsFault = (error: unknown) => Error;

/** Writes at a handle from its beginning. Ends when every piece is acknowledged. */
export function handleWriter(
  sftp: SFTPWrapper,
  handle: Buffer,
  asFault: AsFault,
): { stream: Writable; bytes: () => number } {
  let at = 0;
  let fault: Error | null = null;
  let onRoom: (() => void) | null = null;
  let waiting = 0;
  const acknowledged = (error?: Error) => {
    waiting--;
    if (error) fault ??= asFault(error);
    onRoom?.();
  };
  const until = async (most: number): Promise<void> => {
    while (waiting > most && !fault) {
      await new Promise<void>((resolve) => {
        onRoom = resolve;
      });
    }
    if (fault) throw fault;
  };
  const send = async (chunk: Buffer): Promise<void> => {
    for (let from = 0; from < chunk.length; from += PIECE) {
      await until(WINDOW - 1);
      const length = Math.min(PIECE, chunk.length - from);
      waiting++;
      const [offset, position] = [from, at];
      at += length;
      call<void>(sftp, (done) => sftp.write(handle, chunk, offset, length, position, done)).then(
        () => acknowledged(),
        acknowledged,
      );
    }
  };
  const stream = new Writable({
    highWaterMark: 512 * 1024,
    write(chunk: Buffer, _encoding, done) {
      send(chunk).then(() => done(), done);
    },
    final(done) {
      until(0).then(() => done(), done);
    },
  });
  return { stream, bytes: () => at };
}

/** Reads bytes `start` to `end` of a handle, several pieces ahead. */
export function handleReader(
  sftp: SFTPWrapper,
  handle: Buffer,
  range: { start: number; end: number },
  { asFault, close }: { asFault: AsFault; close: () => Promise<void> },
): Readable {
  async function* pieces(): AsyncGenerator<Buffer> {
    const ahead: Promise<Buffer>[] = [];
    let next = range.start;
    try {
      for (;;) {
        while (ahead.length < WINDOW && next <= range.end) {
          const length = Math.min(PIECE, range.end - next + 1);
          const piece = readWhole(sftp, handle, next, length);
          // Awaited in its turn.
          piece.catch(() => undefined);
          ahead.push(piece);
          next += length;
        }
        const first = ahead.shift();
        if (!first) return;
        yield await first;
      }
    } catch (error) {
      throw asFault(error);
    } finally {
      await Promise.allSettled(ahead);
      await close();
    }
  }
  return Readable.from(pieces(), { objectMode: false, highWaterMark: 512 * 1024 });
}

/** A server may give less than was asked for. */
async function readWhole(
  sftp: SFTPWrapper,
  handle: Buffer,
  position: number,
  length: number,
): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(length);
  for (let got = 0; got < length; ) {
    const bytes = await call<number>(sftp, (done) =>
      sftp.read(handle, whole, got, length - got, position + got, done),
    );
    if (bytes === 0) throw new HoldfastError("unavailable", "The file on the server ended too early.");
    got += bytes;
  }
  return whole;
}
