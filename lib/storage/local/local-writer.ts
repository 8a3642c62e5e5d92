import { constants } from "node:fs";
import { type FileHandle, link, lstat, mkdir, open, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { HoldfastError } from "../../errors.ts";
import { partName } from "../part-file.ts";
import type { ObjectInfo, ObjectWriter } from "../storage.ts";
import { faultCode, localFault } from "./local-faults.ts";

/** Bytes after which written data is pushed to the disk, so that the last fsync is short. */
const SYNC_STRIDE = 32 * 1024 * 1024;

interface Target {
  root: string;
  /** Absolute name of the finished object. */
  file: string;
  /** Relative to the root. */
  path: string;
  /** Segments of the path. */
  segments: string[];
}

/** Opens a hidden part file beside the target; commit publishes it under the target's name. */
export async function openLocalWriter(target: Target): Promise<ObjectWriter> {
  const folder = dirname(target.file);
  const name = target.file.slice(folder.length + 1);
  const part = join(folder, partName(name));
  const handle = await openPart(target, part);
  const stream = new PartStream(handle, target.root);
  let state: "open" | "committed" | "aborted" = "open";

  const abort = async (): Promise<void> => {
    if (state !== "open") return;
    state = "aborted";
    await stream.release();
    await rm(part, { force: true });
    await removeEmptyFolders(target.root, folder);
  };

  const commit = async (): Promise<ObjectInfo> => {
    if (state !== "open") throw new Error(`the object ${target.path} is already ${state}`);
    if (!stream.endedWell) {
      await abort();
      throw new HoldfastError("unavailable", `${target.path} was not written to its end; it is not kept.`, {
        cause: stream.errored ?? undefined,
      });
    }
    try {
      await handle.sync();
      await stream.release();
      await publish(part, target);
      await syncFolder(folder);
      state = "committed";
      const { size, mtime } = await stat(target.file);
      return { path: target.path, bytes: size, modifiedAt: mtime };
    } catch (error) {
      await abort();
      throw localFault(error, target.root);
    }
  };

  return { stream, commit, abort };
}

/** Removes the folder and those above it while they are empty, up to the root, which stays. */
export async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  let current = folder;
  while (current.length > root.length && current.startsWith(root)) {
    try {
      await rmdir(current);
    } catch {
      return;
    }
    current = dirname(current);
  }
}

async function openPart(target: Target, part: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  for (let attempt = 1; ; attempt++) {
    try {
      await makeFolders(target);
      await refuseExisting(target);
      return await open(part, flags, 0o600);
    } catch (error) {
      // Another writer's clean-up may remove the folder between the two calls.
      if (faultCode(error) !== "ENOENT" || attempt === 5) throw localFault(error, target.root);
    }
  }
}

/** One by one and looking at each, because a recursive mkdir would follow links out of the root. */
async function makeFolders(target: Target): Promise<void> {
  let folder = target.root;
  for (const segment of target.segments.slice(0, -1)) {
    folder = join(folder, segment);
    try {
      await mkdir(folder, { mode: 0o700 });
    } catch (error) {
      if (faultCode(error) !== "EEXIST") throw error;
      if (!(await lstat(folder)).isDirectory()) throw leadsOut(target.path);
    }
  }
}

/** The error for a path that a link takes out of the destination. */
export function leadsOut(path: string): HoldfastError {
  return new HoldfastError("invalid", `${path} leads out of the destination through a link.`, {
    remedy: "Remove the link from the destination's folder.",
  });
}

function taken(path: string): HoldfastError {
  return new HoldfastError("conflict", `${path} exists already; stored objects are never overwritten.`);
}

async function refuseExisting(target: Target): Promise<void> {
  const there = await stat(target.file).catch(() => null);
  if (there) throw taken(target.path);
}

async function publish(part: string, target: Target): Promise<void> {
  try {
    await link(part, target.file);
    await rm(part, { force: true });
  } catch (error) {
    const code = faultCode(error);
    if (code === "EEXIST") throw taken(target.path);
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP" && code !== "ENOSYS") throw error;
    await publishWithoutLinks(part, target);
  }
}

/** For file systems without hard links: an exclusive placeholder keeps others off the name. */
async function publishWithoutLinks(part: string, target: Target): Promise<void> {
  try {
    await (await open(target.file, "wx", 0o600)).close();
  } catch (error) {
    throw faultCode(error) === "EEXIST" ? taken(target.path) : error;
  }
  await rename(part, target.file);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes to the part file; an error destroys it, so that it can't be taken for finished. */
class PartStream extends Writable {
  readonly #handle: FileHandle;
  readonly #root: string;
  #closed: Promise<void> | null = null;
  #sinceSync = 0;
  #syncing: Promise<void> | null = null;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(handle: FileHandle, root: string) {
    super({ highWaterMark: 1024 * 1024, autoDestroy: true });
    this.#handle = handle;
    this.#root = root;
    // An error is told by the write's callback and by commit; a listener keeps it from ending the process.
    this.on("error", () => {});
  }

  get endedWell(): boolean {
    return this.writableFinished && this.errored === null;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#append([chunk], done);
  }

  override _writev(entries: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#append(
      entries.map((entry) => entry.chunk),
      done,
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // A finished stream's handle stays open for commit's fsync.
    if (this.endedWell) {
      done(error);
      return;
    }
    this.release().then(
      () => done(error),
      () => done(error),
    );
  }

  /** Closes the file; safe to call twice. */
  async release(): Promise<void> {
    if (!this.destroyed) this.destroy();
    this.#closed ??= this.#busy.then(() => this.#syncing).then(() => this.#handle.close());
    await this.#closed;
  }

  #append(chunks: Buffer[], done: (error?: Error | null) => void): void {
    const work = this.#writeAll(chunks);
    this.#busy = work.catch(() => {});
    work.then(
      () => done(),
      (error: unknown) => done(localFault(error, this.#root)),
    );
  }

  async #writeAll(chunks: Buffer[]): Promise<void> {
    let rest = chunks;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest.slice(0, 512));
      this.#sinceSync += bytesWritten;
      rest = without(rest, bytesWritten);
    }
    if (this.#sinceSync >= SYNC_STRIDE && this.#syncing === null) {
      this.#sinceSync = 0;
      this.#syncing = this.#handle
        .datasync()
        .catch(() => {}) // commit's own sync reports it
        .finally(() => {
          this.#syncing = null;
        });
    }
  }
}

function without(chunks: Buffer[], bytes: number): Buffer[] {
  let left = bytes;
  const rest: Buffer[] = [];
  for (const chunk of chunks) {
    if (left >= chunk.length) {
      left -= chunk.length;
    } else {
      rest.push(left === 0 ? chunk : chunk.subarray(left));
      left = 0;
    }
  }
  return rest;
}
