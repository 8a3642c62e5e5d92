import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";
import path from "node:path";
import { HoldfastError } from "../../errors.ts";
import { unreadable } from "./file-errors.ts";

const HEADER_BYTES = 12;

/**
 * What SQLite keeps beside a database (sqlite.org/tempfiles.html), and how it begins: a WAL with one of two numbers,
 * a journal with its own eight bytes (sqlite.org/fileformat2.html, 3 and 4.1), an index of the WAL with its version.
 */
const KINDS: { suffix: string; begins(header: Buffer): boolean }[] = [
  { suffix: "-wal", begins: (header) => [0x377f0682, 0x377f0683].includes(header.readUInt32BE(0)) },
  { suffix: "-journal", begins: (header) => header.subarray(0, 8).toString("hex") === "d9d505f920a163d7" },
  {
    suffix: "-shm",
    begins: (header) =>
      (endianness() === "LE" ? header.readUInt32LE(0) : header.readUInt32BE(0)) === 3_007_000,
  },
];

export interface Companions {
  /** SQLite's, of this database. */
  own: string[];
  /** Somebody's files that are merely called so. SQLite deletes or overwrites them when it opens the database. */
  strangers: string[];
}

/** Paths at which SQLite looks for the files of a database. */
export function companionPaths(file: string): string[] {
  return KINDS.map(({ suffix }) => file + suffix);
}

/** What lies at those paths. Throws `unavailable` when one of them can't be read. */
export function companionsOf(file: string): Companions {
  const found: Companions = { own: [], strangers: [] };
  for (const { suffix, begins } of KINDS) {
    const at = file + suffix;
    const header = readHeader(at);
    if (header === null) continue;
    // Without content, or not yet (or no more) valid: what SQLite leaves of its own.
    const blank =
      header.length === 0 || (header.length === HEADER_BYTES && header.every((byte) => byte === 0));
    const own = blank || (header.length === HEADER_BYTES && begins(header));
    (own ? found.own : found.strangers).push(at);
  }
  return found;
}

/** Throws `invalid` for the name of a new file that SQLite would take for a part of another database. */
export function assertNoCompanion(file: string): void {
  const kind = KINDS.find(({ suffix }) => file.endsWith(suffix));
  if (!kind) return;
  const database = path.basename(file.slice(0, -kind.suffix.length));
  const message = `SQLite would take ${path.basename(file)} for a part of a database ${database}, and delete it.`;
  throw new HoldfastError("invalid", message, {
    remedy: "Choose another name.",
    fields: { name: `Choose a name that does not end with ${kind.suffix}.` },
  });
}

/** For whoever must let SQLite do with them what it wants. */
export function strangersError(file: string, strangers: string[]): HoldfastError {
  const names = strangers.map((at) => path.basename(at)).join(" and ");
  return new HoldfastError(
    "conflict",
    `Beside ${file} lies ${names}, which SQLite would take for its own and delete.`,
    { remedy: `Move ${names} to another folder, or rename it.` },
  );
}

/** The first bytes of a file; null when there is none. */
function readHeader(at: string): Buffer | null {
  let descriptor: number;
  try {
    descriptor = openSync(at, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unreadable(error, at);
  }
  try {
    // A folder is nobody's header.
    if (!fstatSync(descriptor).isFile()) return Buffer.alloc(1);
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(descriptor, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(descriptor);
  }
}
