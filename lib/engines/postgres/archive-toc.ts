import type { Readable } from "node:stream";
import { PassThrough, pipeline } from "node:stream";
import { HoldfastError } from "../../errors.ts";
import { ArchiveReader } from "./archive-reader.ts";

/**
 * Head and table of contents of an archive in pg_dump's custom format, read without a PostgreSQL program.
 * The format is that of src/bin/pg_dump/pg_backup_archiver.c (ReadHead, ReadToc), versions 1.12 to 1.16.
 */
export interface ArchiveHead {
  /** "1.14" */
  format: string;
  databaseName: string;
  serverVersion: string;
  /** Version of the pg_dump that wrote it: "15.18 (Debian 15.18-0+deb12u1)". */
  dumpVersion: string;
  entryCount: number;
}

/** One object of the archive. */
export interface TocEntry {
  /** Number within the archive, for pg_restore --use-list. */
  id: number;
  /** "TABLE", "ACL", "TABLE DATA" … */
  kind: string;
  /** Name within the kind: "orders", "orders orders_pkey". */
  tag: string;
  schema: string | null;
  owner: string;
  /** SQL that makes it. */
  definition: string;
  tableAccessMethod: string;
}

const MAGIC = "PGDMP";
const CUSTOM_FORMAT = 1;
const LARGEST_HEAD = 64 * 1024;

/** pg_dump's format versions as one comparable number: 1.14.0 is 114. */
function readVersion(reader: ArchiveReader): number {
  const [major, minor] = [reader.byte(), reader.byte()];
  reader.byte();
  return major * 100 + minor;
}

function notAnArchive(why: string): HoldfastError {
  return new HoldfastError("invalid", `The dump is not a PostgreSQL archive: ${why}`, {
    remedy: "Use another copy or another backup; this one can't be restored.",
  });
}

/** Feeds on an archive's bytes and reports its head, then each entry, then its end. */
export class TocParser {
  readonly #reader = new ArchiveReader();
  readonly #onEntry: (entry: TocEntry) => void;
  #version = 0;
  #left = 0;
  #seen = 0;
  head: ArchiveHead | null = null;
  /** All entries were read; what follows is data. */
  finished = false;

  constructor(onEntry: (entry: TocEntry) => void) {
    this.#onEntry = onEntry;
  }

  /** Takes the next bytes; throws `invalid` when they are no archive. */
  write(chunk: Buffer): void {
    if (this.finished) return;
    this.#reader.append(chunk);
    this.#seen += chunk.length;
    if (!this.head) {
      this.head = this.#reader.attempt(() => this.#readHead());
      if (!this.head && this.#seen > LARGEST_HEAD) throw notAnArchive("its head is too long.");
      this.#left = this.head?.entryCount ?? 0;
    }
    while (this.head && this.#left > 0) {
      const entry = this.#reader.attempt(() => this.#readEntry());
      if (!entry) return;
      this.#left--;
      this.#onEntry(entry);
    }
    this.finished = this.head !== null;
  }

  #readHead(): ArchiveHead {
    const reader = this.#reader;
    const magic = reader.bytes(MAGIC.length).toString("latin1");
    if (magic !== MAGIC) throw notAnArchive("it does not begin with PGDMP.");
    this.#version = readVersion(reader);
    if (this.#version < 112 || this.#version > 116) {
      throw notAnArchive(`its format ${this.#version / 100} is not one that is known here (1.12 to 1.16).`);
    }
    reader.intSize = reader.byte();
    reader.offsetSize = reader.byte();
    if (reader.byte() !== CUSTOM_FORMAT) throw notAnArchive("it is in another format than pg_dump -Fc.");
    // Compression: a method since 1.15, a level before.
    if (this.#version >= 115) reader.byte();
    else reader.int();
    // Moment of the dump as struct tm: seconds to years, and daylight saving.
    for (let part = 0; part < 7; part++) reader.int();
    const databaseName = reader.text() ?? "";
    const serverVersion = reader.text() ?? "";
    const dumpVersion = reader.text() ?? "";
    const format = `1.${this.#version - 100}`;
    return { format, databaseName, serverVersion, dumpVersion, entryCount: reader.int() };
  }

  #readEntry(): TocEntry {
    const reader = this.#reader;
    const id = reader.int();
    reader.int(); // whether it has data
    reader.text(); // table of its catalogue row
    reader.text(); // and its number there
    const tag = reader.text() ?? "";
    const kind = reader.text() ?? "";
    reader.int(); // section
    const definition = reader.text() ?? "";
    reader.text(); // DROP statement
    reader.text(); // COPY statement
    const schema = reader.text();
    reader.text(); // tablespace
    const tableAccessMethod = this.#version >= 114 ? (reader.text() ?? "") : "";
    if (this.#version >= 116) reader.int(); // relkind
    const owner = reader.text() ?? "";
    reader.text(); // WITH OIDS, of old servers
    while (reader.text() !== null) {
      // numbers of the entries it depends on
    }
    reader.offset();
    return { id, kind, tag, schema, owner, definition, tableAccessMethod };
  }
}

/**
 * Reads head and entries of an archive (or just as much as `until` asks for). The returned stream gives the
 * whole archive again, what was read included; destroying it destroys the source.
 */
export async function peekToc(
  source: Readable,
  onEntry: (entry: TocEntry) => void = () => undefined,
  until: (parser: TocParser) => boolean = (parser) => parser.finished,
): Promise<{ head: ArchiveHead; stream: Readable }> {
  const parser = new TocParser(onEntry);
  const taken: Buffer[] = [];
  while (!until(parser)) {
    const chunk = await nextChunk(source);
    if (!chunk) throw notAnArchive("it ends before its table of contents does.");
    taken.push(chunk);
    parser.write(chunk);
  }
  if (!parser.head) throw notAnArchive("it has no head.");
  const stream = new PassThrough();
  for (const chunk of taken) stream.write(chunk);
  // Its readers see every failure on the stream itself.
  pipeline(source, stream, () => undefined);
  return { head: parser.head, stream };
}

/** The next bytes without starting the flow; null at the end; rejects when the stream fails. */
async function nextChunk(stream: Readable): Promise<Buffer | null> {
  for (;;) {
    if (stream.errored) throw stream.errored;
    const chunk = stream.read() as Buffer | null;
    if (chunk) return chunk;
    if (stream.readableEnded || stream.destroyed) return null;
    await new Promise<void>((resolve) => {
      const settle = () => {
        for (const event of ["readable", "end", "error", "close"]) stream.off(event, settle);
        resolve();
      };
      for (const event of ["readable", "end", "error", "close"]) stream.on(event, settle);
    });
  }
}
