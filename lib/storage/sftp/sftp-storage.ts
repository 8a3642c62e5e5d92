import { posix } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import type { SFTPWrapper, Stats } from "ssh2";
import { HoldfastError } from "../../errors.ts";
import { MARKER, markerText, readMarker } from "../marker.ts";
import { PART_FILE, partName } from "../part-file.ts";
import { pathSegments, prefixSegments } from "../paths.ts";
import type { ObjectInfo, ObjectWriter, Storage, StorageTest } from "../storage.ts";
import { tryOut } from "../try-out.ts";
import { call } from "./sftp-call.ts";
import { SftpConnection } from "./sftp-connection.ts";
import { NO_SUCH_FILE, PERMISSION_DENIED, sftpCode, sftpFault } from "./sftp-faults.ts";
import type { SftpConfig, SftpSecret } from "./sftp-schema.ts";
import { handleReader, handleWriter } from "./sftp-stream.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const TYPE = 0o170000;

/** A folder on an SSH server. A file is written beside its place and linked to it when it is whole. */
export function sftpStorage(config: SftpConfig, secret: SftpSecret, installId: string): Storage {
  return new SftpStorage(config, secret, installId);
}

class SftpStorage implements Storage {
  readonly kind = "sftp";
  readonly capabilities = { sameHost: false, freeSpace: false };
  readonly #config: SftpConfig;
  readonly #installId: string;
  readonly #connection: SftpConnection;
  #checked: Promise<void> | null = null;

  constructor(config: SftpConfig, secret: SftpSecret, installId: string) {
    this.#config = config;
    this.#installId = installId;
    this.#connection = new SftpConnection(config, secret);
  }

  async init(): Promise<void> {
    await this.#use(async (sftp) => {
      await makeFolders(sftp, this.#config.folder);
      const marker = await this.#readMarker(sftp);
      if (marker === "denied" && (await lstat(sftp, this.#absolute([MARKER])))) return;
      if (marker !== null && marker !== "denied") return readMarker(marker, this.#installId, this.#place());
      const handle = await call<Buffer>(sftp, (done) =>
        sftp.open(this.#absolute([MARKER]), "wx", { mode: PRIVATE_FILE }, done),
      );
      const text = Buffer.from(markerText(this.#installId));
      await call<void>(sftp, (done) => sftp.write(handle, text, 0, text.length, 0, done));
      await call<void>(sftp, (done) => sftp.close(handle, done));
    });
  }

  async test(): Promise<StorageTest> {
    const tested = await tryOut(this, this.#place());
    const freeBytes = await this.#use(async (sftp) => await readFreeBytes(sftp, this.#config.folder));
    return { ...tested, freeBytes };
  }

  async write(path: string): Promise<ObjectWriter> {
    const segments = pathSegments(path);
    await this.#check();
    const { sftp, release } = await this.#connection.take();
    const file = this.#absolute(segments);
    const part = posix.join(posix.dirname(file), partName(segments.at(-1) ?? ""));
    try {
      await this.#refuseTaken(sftp, file, path);
      // Its folder goes when another write there is undone.
      const handle = await again(async () => {
        await makeFolders(sftp, posix.dirname(file));
        return await call<Buffer>(sftp, (done) => sftp.open(part, "wx", { mode: PRIVATE_FILE }, done));
      });
      return this.#writer(sftp, { handle, part, file, path }, release);
    } catch (error) {
      release();
      throw this.#fault(error);
    }
  }

  async read(path: string, range?: { start: number; end: number }): Promise<Readable> {
    const file = this.#absolute(pathSegments(path));
    await this.#check();
    const { sftp, release } = await this.#connection.take();
    try {
      const { size } = await this.#regular(sftp, file, path);
      if (range && (range.start < 0 || range.end < range.start || range.start >= size)) {
        throw new HoldfastError("invalid", `${path} has ${size} bytes; the range asked for is outside.`);
      }
      const handle = await call<Buffer>(sftp, (done) => sftp.open(file, "r", done));
      const wanted = range
        ? { start: range.start, end: Math.min(range.end, size - 1) }
        : { start: 0, end: size - 1 };
      const close = async () => {
        await call<void>(sftp, (done) => sftp.close(handle, done)).catch(() => undefined);
        release();
      };
      return handleReader(sftp, handle, wanted, { asFault: (error) => this.#fault(error), close });
    } catch (error) {
      release();
      throw this.#fault(error);
    }
  }

  async stat(path: string): Promise<ObjectInfo | null> {
    const file = this.#absolute(pathSegments(path));
    await this.#check();
    return await this.#use(async (sftp) => {
      const info = await lstat(sftp, file);
      return info && isRegular(info) ? objectInfo(path, info) : null;
    });
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const { path, info } of this.#walk(prefix)) {
      if (!posix.basename(path).startsWith(".")) yield objectInfo(path, info);
    }
  }

  async delete(path: string): Promise<void> {
    const segments = pathSegments(path);
    await this.#check();
    await this.#use(async (sftp) => {
      await call<void>(sftp, (done) => sftp.unlink(this.#absolute(segments), done)).catch(ignoreMissing);
      await this.#removeEmptyFolders(sftp, segments.slice(0, -1));
    });
  }

  async sweep(prefix: string): Promise<number> {
    let removed = 0;
    for await (const { path } of this.#walk(prefix)) {
      if (!PART_FILE.test(posix.basename(path))) continue;
      const segments = path.split("/");
      await this.#use(async (sftp) => {
        await call<void>(sftp, (done) => sftp.unlink(this.#absolute(segments), done)).catch(ignoreMissing);
        await this.#removeEmptyFolders(sftp, segments.slice(0, -1));
      });
      removed++;
    }
    return removed;
  }

  #writer(
    sftp: SFTPWrapper,
    at: { handle: Buffer; part: string; file: string; path: string },
    release: () => void,
  ): ObjectWriter {
    const { stream, bytes } = handleWriter(sftp, at.handle, (error) => this.#fault(error));
    // Whoever writes hears of it; an abort destroys it while nobody listens.
    stream.on("error", () => undefined);
    let over = false;
    let closed = false;
    const close = async () => {
      if (closed) return;
      closed = true;
      await call<void>(sftp, (done) => sftp.close(at.handle, done));
    };
    const abort = async (): Promise<void> => {
      if (over) return;
      over = true;
      stream.destroy();
      try {
        await close().catch(() => undefined);
        await call<void>(sftp, (done) => sftp.unlink(at.part, done)).catch(ignoreMissing);
        await this.#removeEmptyFolders(sftp, at.path.split("/").slice(0, -1));
      } catch (error) {
        throw this.#fault(error);
      } finally {
        release();
      }
    };
    const commit = async (): Promise<ObjectInfo> => {
      try {
        if (over || !stream.writableFinished) {
          throw new HoldfastError("unavailable", `${at.path} was not written to its end; it is not kept.`);
        }
        await call<void>(sftp, (done) => sftp.ext_openssh_fsync(at.handle, done)).catch(ignoreUnsupported);
        await close();
        await this.#publish(sftp, at);
        const info = await this.#regular(sftp, at.file, at.path);
        if (info.size !== bytes()) {
          throw new HoldfastError("unavailable", `${at.path} has ${info.size} bytes instead of ${bytes()}.`);
        }
        over = true;
        release();
        return objectInfo(at.path, info);
      } catch (error) {
        await abort().catch(() => undefined);
        throw this.#fault(error);
      }
    };
    return { stream, commit, abort };
  }

  /** A link fails where there is a file already; servers without links have a rename that fails, too. */
  async #publish(sftp: SFTPWrapper, { part, file, path }: { part: string; file: string; path: string }) {
    try {
      await call<void>(sftp, (done) => sftp.ext_openssh_hardlink(part, file, done));
      // A user who may not delete keeps the other name of the same bytes, too.
      await call<void>(sftp, (done) => sftp.unlink(part, done)).catch(ignoreDenied);
    } catch (error) {
      await this.#refuseTaken(sftp, file, path);
      if (!isUnsupported(error)) throw error;
      await call<void>(sftp, (done) => sftp.rename(part, file, done));
    }
  }

  async #refuseTaken(sftp: SFTPWrapper, file: string, path: string): Promise<void> {
    if (!(await lstat(sftp, file))) return;
    throw new HoldfastError("conflict", `There is an object ${path} already; objects are never replaced.`);
  }

  async #regular(sftp: SFTPWrapper, file: string, path: string): Promise<Stats> {
    const info = await lstat(sftp, file);
    if (info && isRegular(info)) return info;
    throw new HoldfastError("not_found", `${path} is not in ${this.#place()}.`);
  }

  async *#walk(prefix: string): AsyncIterable<{ path: string; info: Stats }> {
    const folders = [prefixSegments(prefix)];
    await this.#check();
    for (let folder = folders.pop(); folder; folder = folders.pop()) {
      const entries = await this.#use(
        async (sftp) =>
          await call<{ filename: string; attrs: Stats }[]>(sftp, (done) =>
            sftp.readdir(this.#absolute(folder ?? []), done),
          ).catch((error: unknown) => {
            if (sftpCode(error) === NO_SUCH_FILE) return [];
            throw error;
          }),
      );
      entries.sort((a, b) => (a.filename < b.filename ? -1 : 1));
      for (const { filename, attrs } of entries) {
        if (filename === "." || filename === "..") continue;
        const path = [...folder, filename];
        if ((attrs.mode & TYPE) === DIRECTORY) folders.push(path);
        else if (isRegular(attrs)) yield { path: path.join("/"), info: attrs };
      }
    }
  }

  async #removeEmptyFolders(sftp: SFTPWrapper, segments: string[]): Promise<void> {
    for (let left = segments; left.length > 0; left = left.slice(0, -1)) {
      try {
        await call<void>(sftp, (done) => sftp.rmdir(this.#absolute(left), done));
      } catch {
        // Not empty, or gone already.
        return;
      }
    }
  }

  /** Whose folder this is; asked once. A user who may only write is believed. */
  async #check(): Promise<void> {
    this.#checked ??= this.#use(async (sftp) => {
      const marker = await this.#readMarker(sftp);
      if (marker === "denied") return;
      if (marker !== null) return readMarker(marker, this.#installId, this.#place());
      throw new HoldfastError("unavailable", `${this.#place()} is not there, or not prepared for backups.`, {
        remedy: "Mount its disk again. If its content is gone for good, add a new destination.",
      });
    });
    try {
      await this.#checked;
    } catch (error) {
      this.#checked = null;
      throw error;
    }
  }

  async #readMarker(sftp: SFTPWrapper): Promise<string | null> {
    try {
      return (await call<Buffer>(sftp, (done) => sftp.readFile(this.#absolute([MARKER]), done))).toString();
    } catch (error) {
      if (sftpCode(error) === NO_SUCH_FILE) return null;
      if (sftpCode(error) === PERMISSION_DENIED) return "denied";
      throw error;
    }
  }

  async #use<T>(work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
    try {
      return await this.#connection.use(work);
    } catch (error) {
      throw this.#fault(error);
    }
  }

  #fault(error: unknown): HoldfastError {
    return sftpFault(error, this.#config);
  }

  #absolute(segments: string[]): string {
    return posix.join(this.#config.folder, ...segments);
  }

  #place(): string {
    return `${this.#config.folder} on ${this.#config.host}`;
  }
}

async function lstat(sftp: SFTPWrapper, file: string): Promise<Stats | null> {
  try {
    return await call<Stats>(sftp, (done) => sftp.lstat(file, done));
  } catch (error) {
    if (sftpCode(error) === NO_SUCH_FILE) return null;
    throw error;
  }
}

async function makeFolders(sftp: SFTPWrapper, folder: string): Promise<void> {
  if (await lstat(sftp, folder)) return;
  const parent = posix.dirname(folder);
  if (parent !== folder) await makeFolders(sftp, parent);
  await call<void>(sftp, (done) => sftp.mkdir(folder, { mode: PRIVATE_FOLDER }, done)).catch(
    async (error: unknown) => {
      // Somebody else was first.
      if (!(await lstat(sftp, folder))) throw error;
    },
  );
}

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (sftpCode(error) !== NO_SUCH_FILE || tries === 5) throw error;
    }
  }
}

async function readFreeBytes(sftp: SFTPWrapper, folder: string): Promise<number | null> {
  try {
    const ask = promisify(sftp.ext_openssh_statvfs.bind(sftp)) as unknown as (
      path: string,
    ) => Promise<{ f_bavail: number; f_frsize: number }>;
    const { f_bavail, f_frsize } = await ask(folder);
    return Number(f_bavail) * Number(f_frsize);
  } catch {
    return null;
  }
}

function isRegular(info: Stats): boolean {
  return (info.mode & TYPE) === REGULAR;
}

function objectInfo(path: string, info: Stats): ObjectInfo {
  return { path, bytes: info.size, modifiedAt: new Date(info.mtime * 1000) };
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Error && /does not support|unsupported|not supported/i.test(error.message);
}

function ignoreUnsupported(error: unknown): void {
  if (!isUnsupported(error)) throw error;
}

function ignoreDenied(error: unknown): void {
  if (sftpCode(error) !== PERMISSION_DENIED) throw error;
}

function ignoreMissing(error: unknown): void {
  if (sftpCode(error) !== NO_SUCH_FILE) throw error;
}
