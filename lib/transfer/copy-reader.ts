import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { type Duplex, pipeline } from "node:stream";
import { text } from "node:stream/consumers";
import { createZstdDecompress } from "node:zlib";
import type { Artefact, Manifest } from "../backups/manifest.ts";
import { HoldfastError, isHoldfastError, messageOf } from "../errors.ts";
import type { Storage } from "../storage/storage.ts";
import { ageDecrypt } from "./age-stream.ts";
import { type HashTap, hashTap } from "./hashing.ts";
import { reasonOf } from "./transfer-fault.ts";

/** What is wrong with a stored copy, whatever was done with it. */
export interface CopyFault {
  state: "missing" | "altered" | "unreachable";
  reason: string;
}

interface Reading {
  stored: HashTap;
  plain: HashTap;
}

/** Longest RESTORE.md or manifest.json that is read into memory beyond the size that we know. */
const SPARE_BYTES = 1024;

/** Reads one copy of a backup and judges its bytes against the manifest on the way. */
export class CopyReader {
  readonly #storage: Storage;
  readonly #path: string;
  readonly #manifest: Manifest;
  readonly #manifestText: string;
  readonly #identities: string[];
  readonly #readings = new Map<Artefact["name"], Reading[]>();
  /** Bytes read from the destination so far. */
  bytesRead = 0;
  onBytes: ((bytes: number) => void) | null = null;
  /** RESTORE.md as it was published, once checkPresent has found it so; older backups have none. */
  restoreText: string | null = null;

  constructor(
    storage: Storage,
    source: { path: string; manifestText: string; identities: string[] },
    manifest: Manifest,
  ) {
    this.#storage = storage;
    this.#path = source.path;
    this.#manifest = manifest;
    this.#manifestText = source.manifestText;
    this.#identities = source.identities;
  }

  /** Sizes of all files, and the texts of manifest.json and RESTORE.md. Null when all is as published. */
  async checkPresent(): Promise<CopyFault | null> {
    try {
      const { restoreFile, artefacts } = this.#manifest;
      const expected = Buffer.from(this.#manifestText);
      const stored = await this.#readSmall("manifest.json", expected.length);
      if (!stored.equals(expected)) return altered("manifest.json", "its text is not the one published");
      if (restoreFile) {
        const bytes = await this.#readSmall(restoreFile.file, restoreFile.bytes);
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        if (sha256 !== restoreFile.sha256)
          return altered(restoreFile.file, "its text is not the one published");
        this.restoreText = bytes.toString();
      }
      for (const artefact of artefacts) {
        const info = await this.#storage.stat(`${this.#path}/${artefact.file}`);
        if (!info) return missing(artefact.file);
        if (info.bytes !== artefact.bytes) {
          return altered(artefact.file, `it has ${info.bytes} bytes instead of ${artefact.bytes}`);
        }
      }
      return null;
    } catch (error) {
      return asCopyFault(error);
    }
  }

  /** Opens an artefact as plain bytes, hashed on both sides of compression and encryption. */
  readonly open = async (name: Artefact["name"]): Promise<Readable> => {
    const artefact = this.#artefact(name);
    const source = await this.#storage.read(`${this.#path}/${artefact.file}`);
    const before = this.bytesRead;
    const stored = hashTap((bytes) => {
      this.bytesRead = before + bytes;
      this.onBytes?.(this.bytesRead);
    });
    const plain = hashTap();
    this.#readings.set(name, [...(this.#readings.get(name) ?? []), { stored, plain }]);
    const decrypt: Duplex[] = artefact.encryption === "age" ? [ageDecrypt(this.#identities)] : [];
    const unzip = createZstdDecompress({ chunkSize: 256 * 1024 });
    // A fault destroys the last stream with it, and so reaches the reader.
    pipeline([source, stored.stream, ...decrypt, unzip, plain.stream], () => {});
    return plain.stream;
  };

  /** Opens an artefact as it lies there, hashed. `judge` after the stream was used, however that ended. */
  async openStored(
    artefact: Artefact,
  ): Promise<{ fault: CopyFault } | { stream: Readable; judge(): CopyFault | null }> {
    let source: Readable;
    try {
      source = await this.#storage.read(`${this.#path}/${artefact.file}`);
    } catch (error) {
      return { fault: asCopyFault(error) };
    }
    const before = this.bytesRead;
    const stored = hashTap((bytes) => {
      this.bytesRead = before + bytes;
      this.onBytes?.(this.bytesRead);
    });
    let broken: unknown = null;
    source.on("error", (error) => {
      // What is destroyed because nobody reads on is not broken.
      if (!stored.stream.destroyed) broken = error;
    });
    pipeline([source, stored.stream], () => {});
    const judge = () => {
      if (broken !== null) return unread(artefact.file, broken);
      if (!stored.ended()) return null;
      const { sha256, bytes } = stored.sum();
      return sha256 === artefact.sha256 && bytes === artefact.bytes ? null : changed(artefact.file);
    };
    return { stream: stored.stream, judge };
  }

  has(name: Artefact["name"]): boolean {
    return this.#manifest.artefacts.some((artefact) => artefact.name === name);
  }

  /**
   * After the artefacts were used: whether every one of them was read to its end and was what the manifest
   * says. What was not read to its end is read again, to its end.
   */
  async confirm(): Promise<CopyFault | null> {
    for (const artefact of this.#manifest.artefacts) {
      const whole = this.#readings.get(artefact.name)?.find(isWhole);
      try {
        const reading = whole ?? (await this.#readWhole(artefact.name));
        const fault = compare(artefact, reading);
        if (fault) return fault;
      } catch (error) {
        return (await this.diagnose()) ?? { state: "altered", reason: reasonOf(error) };
      }
    }
    return null;
  }

  /** After a fault: whether the stored bytes are to blame. Reads them whole, without opening them. */
  async diagnose(): Promise<CopyFault | null> {
    try {
      const present = await this.checkPresent();
      if (present) return present;
      for (const artefact of this.#manifest.artefacts) {
        const hash = createHash("sha256");
        for await (const chunk of await this.#storage.read(`${this.#path}/${artefact.file}`))
          hash.update(chunk);
        if (hash.digest("hex") !== artefact.sha256) return changed(artefact.file);
      }
      return null;
    } catch (error) {
      return asCopyFault(error);
    }
  }

  async #readWhole(name: Artefact["name"]): Promise<Reading> {
    for await (const _ of await this.open(name));
    const reading = this.#readings.get(name)?.find(isWhole);
    if (!reading) throw new Error(`${name} could not be read to its end`);
    return reading;
  }

  async #readSmall(file: string, bytes: number): Promise<Buffer> {
    const info = await this.#storage.stat(`${this.#path}/${file}`);
    if (!info) throw new HoldfastError("not_found", missing(file).reason);
    if (info.bytes > bytes + SPARE_BYTES) return Buffer.alloc(0);
    return Buffer.from(await text(await this.#storage.read(`${this.#path}/${file}`)));
  }

  #artefact(name: Artefact["name"]): Artefact {
    const artefact = this.#manifest.artefacts.find((one) => one.name === name);
    if (!artefact) throw new Error(`This backup has no artefact "${name}".`);
    return artefact;
  }
}

function isWhole({ stored, plain }: Reading): boolean {
  return stored.ended() && plain.ended();
}

function compare(artefact: Artefact, { stored, plain }: Reading): CopyFault | null {
  const storedSum = stored.sum();
  const plainSum = plain.sum();
  if (storedSum.sha256 !== artefact.sha256 || storedSum.bytes !== artefact.bytes)
    return changed(artefact.file);
  if (plainSum.sha256 !== artefact.plainSha256 || plainSum.bytes !== artefact.plainBytes) {
    return altered(artefact.file, "what comes out of it has another sha256 than what was dumped");
  }
  return null;
}

function changed(file: string): CopyFault {
  return altered(file, "its sha256 is not the one in the manifest");
}

function altered(file: string, detail: string): CopyFault {
  return { state: "altered", reason: `${file} was altered after it was stored: ${detail}.` };
}

function missing(file: string): CopyFault {
  return { state: "missing", reason: `${file} is missing at the destination.` };
}

function unread(file: string, error: unknown): CopyFault {
  if (isHoldfastError(error)) return asCopyFault(error);
  return { state: "unreachable", reason: `${file} could not be read to its end: ${messageOf(error)}` };
}

function asCopyFault(error: unknown): CopyFault {
  if (!isHoldfastError(error)) throw error;
  if (error.code === "not_found") return { state: "missing", reason: error.message };
  return { state: "unreachable", reason: reasonOf(error) };
}
