import path from "node:path";
import { HoldfastError } from "../../errors.ts";
import type { Access } from "../engine.ts";

/** Absolute path of the file of this connection. Throws `invalid` with fields. */
export function fileOf(access: Access): string {
  return String(parseSqliteConnection(access.connection).file);
}

/** Validates {file}. Throws `invalid` with the field "connection.file". */
export function parseSqliteConnection(connection: Record<string, unknown>): { file: string } {
  const { file } = connection;
  if (typeof file === "string" && path.isAbsolute(file) && !file.includes("\0") && file.length <= 4096) {
    return { file: path.normalize(file) };
  }
  const message = "Give the file's absolute path on the worker's machine.";
  throw new HoldfastError("invalid", "The SQLite file's path is not absolute.", {
    remedy: message,
    fields: { "connection.file": message },
  });
}

/** "sqlite:///srv/app.db", "sqlite:/srv/app.db" or "file:///srv/app.db", percent-encoded like any URL. */
export function parseSqliteUrl(url: string): Access {
  const refuse = (message: string) =>
    new HoldfastError("invalid", `This is not the URL of an SQLite file: ${message}`, {
      remedy: "Write it as sqlite:///absolute/path/to/file.db",
      fields: { url: message },
    });
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw refuse("it is not a URL.");
  }
  if (!["sqlite:", "file:"].includes(parsed.protocol))
    throw refuse("it starts with neither sqlite: nor file:.");
  if (parsed.host !== "") throw refuse("it names a host; a path needs three slashes: sqlite:///srv/app.db.");
  if (parsed.search !== "" || parsed.hash !== "") throw refuse("it has parameters, and a file takes none.");
  let file: string;
  try {
    file = decodeURIComponent(parsed.pathname);
  } catch {
    throw refuse("a % in it is not followed by two hexadecimal digits.");
  }
  if (!path.isAbsolute(file) || file.includes("\0") || file.endsWith("/")) {
    throw refuse("it has no absolute path to a file.");
  }
  return { connection: { file: path.normalize(file) } };
}

/**
 * The file that a name means beside `on`: a name without an ending gets that of `on`; an absolute path must lie
 * in the same folder. Throws `invalid` for anything that would leave the folder.
 */
export function fileBeside(on: string, name: string): string {
  const folder = path.dirname(on);
  const file = path.isAbsolute(name) ? path.normalize(name) : path.join(folder, name);
  if (
    name === "" ||
    name.includes("\0") ||
    path.dirname(file) !== folder ||
    path.basename(file).startsWith(".")
  ) {
    const message = `The name must be one of a file in ${folder}.`;
    throw new HoldfastError(
      "invalid",
      `${JSON.stringify(name)} can't name an SQLite file there. ${message}`,
      {
        remedy: message,
        fields: { name: message },
      },
    );
  }
  return path.isAbsolute(name) || path.extname(file) !== "" ? file : file + path.extname(on);
}
