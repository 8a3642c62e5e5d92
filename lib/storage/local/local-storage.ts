import { constants, createReadStream } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rm,
  statfs,
  writeFile,
} from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import type { Readable } from "node:stream";
import { HoldfastError } from "../../errors.ts";
import { MARKER, markerText, readMarker } from "../marker.ts";
import { PART_FILE } from "../part-file.ts";
import { pathSegments, prefixSegments } from "../paths.ts";
import type { ObjectInfo, ObjectWriter, Storage, StorageTest } from "../storage.ts";
import { tryOut } from "../try-out.ts";
import { faultCode, localFault } from "./local-faults.ts";
import { leadsOut, openLocalWriter, removeEmptyFolders } from "./local-writer.ts";

/**
 * A folder on the worker's machine (or a mounted one). The marker file in its root tells that the right disk
 * is mounted there: without it nothing is read or written, and every call throws `unavailable`.
 */
export function localStorage(folder: string, installId: string): Storage {
  return new LocalStorage(folder, installId);
}

class LocalStorage implements Storage {
  readonly kind = "local";
  readonly capabilities = { sameHost: true, freeSpace: true };
  readonly #folder: string;
  readonly #installId: string;
  #root: string | null = null;

  constructor(folder: string, installId: string) {
    if (!isAbsolute(folder)) {
      throw new HoldfastError("invalid", `"${folder}" is not an absolute folder.`, {
        fields: { "config.folder": "Give an absolute folder on the worker's machine." },
      });
    }
    this.#folder = folder;
    this.#installId = installId;
  }

  async init(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(join(this.#folder, MARKER), markerText(this.#installId), { flag: "wx", mode: 0o600 });
    } catch (error) {
      if (faultCode(error) !== "EEXIST") throw localFault(error, this.#folder);
    }
    await this.#open();
  }

  async test(): Promise<StorageTest> {
    const tested = await tryOut(this, this.#folder);
    const { bavail, bsize } = await statfs(this.#folder);
    return { ...tested, freeBytes: bavail * bsize };
  }

  async write(path: string): Promise<ObjectWriter> {
    const segments = pathSegments(path);
    const root = await this.#open();
    return openLocalWriter({ root, file: join(root, ...segments), path, segments });
  }

  async read(path: string, range?: { start: number; end: number }): Promise<Readable> {
    const handle = await this.#openObject(path);
    const { size } = await handle.stat();
    if (range && (range.start < 0 || range.end < range.start || range.start >= size)) {
      await handle.close();
      throw new HoldfastError("invalid", `${path} has ${size} bytes; the range asked for is outside.`);
    }
    // Big reads: fewer trips through the event loop per megabyte.
    return createReadStream("", { fd: handle, highWaterMark: 256 * 1024, ...range });
  }

  async stat(path: string): Promise<ObjectInfo | null> {
    try {
      const handle = await this.#openObject(path);
      const info = await handle.stat();
      await handle.close();
      return { path, bytes: info.size, modifiedAt: info.mtime };
    } catch (error) {
      if (error instanceof HoldfastError && error.code === "not_found") return null;
      throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<ObjectInfo> {
    for await (const { file, info } of this.#walk(prefix)) {
      if (!info.name.startsWith(".")) yield file;
    }
  }

  async delete(path: string): Promise<void> {
    const segments = pathSegments(path);
    const root = await this.#open();
    const file = join(root, ...segments);
    try {
      const folder = await realpath(dirname(file));
      inside(root, folder);
      await rm(file);
      await removeEmptyFolders(root, folder);
    } catch (error) {
      const code = faultCode(error);
      if (code !== "ENOENT" && code !== "ENOTDIR") throw localFault(error, this.#folder);
    }
  }

  async sweep(prefix: string): Promise<number> {
    const root = await this.#open();
    let removed = 0;
    for await (const { absolute, info } of this.#walk(prefix)) {
      if (!PART_FILE.test(info.name)) continue;
      await rm(absolute, { force: true });
      removed++;
      await removeEmptyFolders(root, dirname(absolute));
    }
    return removed;
  }

  async #openObject(path: string): Promise<FileHandle> {
    const segments = pathSegments(path);
    const root = await this.#open();
    try {
      const file = join(root, ...segments);
      inside(root, await realpath(dirname(file)));
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
      if ((await handle.stat()).isFile()) return handle;
      await handle.close();
    } catch (error) {
      const code = faultCode(error);
      if (code === "ELOOP") throw leadsOut(path);
      if (code !== "ENOENT" && code !== "ENOTDIR") throw localFault(error, this.#folder);
    }
    throw new HoldfastError("not_found", `${path} is not in ${this.#folder}.`);
  }

  async *#walk(
    prefix: string,
  ): AsyncIterable<{ file: ObjectInfo; absolute: string; info: { name: string } }> {
    const root = await this.#open();
    const folders = [join(root, ...prefixSegments(prefix))];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
        const code = faultCode(error);
        if (code === "ENOENT" || code === "ENOTDIR") return [];
        throw localFault(error, this.#folder);
      });
      entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries) {
        const absolute = join(folder, entry.name);
        if (entry.isDirectory()) folders.push(absolute);
        if (!entry.isFile()) continue;
        const info = await lstat(absolute).catch(() => null);
        if (!info) continue;
        const path = relative(root, absolute);
        yield { file: { path, bytes: info.size, modifiedAt: info.mtime }, absolute, info: entry };
      }
    }
  }

  /** The real root, once its marker has been read; throws `unavailable` or, for another's, `conflict`. */
  async #open(): Promise<string> {
    let text: string;
    try {
      text = await readFile(join(this.#folder, MARKER), "utf8");
    } catch (error) {
      if (faultCode(error) !== "ENOENT") throw localFault(error, this.#folder);
      throw new HoldfastError("unavailable", `${this.#folder} is not there, or not prepared for backups.`, {
        remedy: "Mount its disk again. If its content is gone for good, add a new destination.",
      });
    }
    readMarker(text, this.#installId, this.#folder);
    this.#root ??= await realpath(this.#folder);
    return this.#root;
  }
}

function inside(root: string, folder: string): void {
  if (folder !== root && !folder.startsWith(`${root}/`)) throw leadsOut(relative(root, folder));
}
