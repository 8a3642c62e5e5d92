import { open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { HoldfastError } from "../../errors.ts";
import type { Access } from "../engine.ts";
import { assertNoCompanion, companionsOf } from "./companions.ts";
import { fileBeside, fileOf } from "./connection.ts";
import { unreadable } from "./file-errors.ts";
import { filesInUse } from "./files-in-use.ts";
import { assertEmpty, syncFolder } from "./restore.ts";

/**
 * Makes an empty file beside `on`, which is an empty database to SQLite. Throws `conflict` if it exists, or anything
 * at whose place SQLite keeps what belongs to it.
 */
export async function createSqliteFile(on: Access, name: string): Promise<Access> {
  const file = fileBeside(fileOf(on), name);
  await assertSqliteFileFree(on, name);
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new HoldfastError("conflict", `${file} already exists.`, { remedy: "Choose another name." });
    }
    throw unreadable(error, path.dirname(file));
  }
  return { connection: { file } };
}

/** Throws `conflict` when there is a file of this name beside `on`, or what SQLite keeps next to one. */
export async function assertSqliteFileFree(on: Access, name: string): Promise<void> {
  const file = fileBeside(fileOf(on), name);
  assertNoCompanion(file);
  const there = await stat(file).catch(() => null);
  if (there)
    throw new HoldfastError("conflict", `${file} already exists.`, { remedy: "Choose another name." });
  await assertEmpty(file);
}

/** Gives the finished file `from` its name; throws `conflict` when there is a file of that name. */
export async function renameSqliteFile(on: Access, from: string, to: string): Promise<Access> {
  const made = await createSqliteFile(on, to);
  const file = fileOf(made);
  try {
    await rename(fileBeside(fileOf(on), from), file);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
  return made;
}

/** Removes a file beside `on` and what SQLite keeps next to it; one that is not there is no error. */
export async function dropSqliteFile(on: Access, name: string): Promise<void> {
  const file = fileBeside(fileOf(on), name);
  await assertUnused(file);
  for (const at of [...companionsOf(file).own, file]) await rm(at, { force: true });
  await syncFolder(path.dirname(file));
}

/** Throws `conflict` while any other program has the file open, or what SQLite keeps next to it. */
export async function assertUnused(file: string): Promise<void> {
  const users = await filesInUse([file, ...companionsOf(file).own]);
  if (users.length === 0) return;
  const programs = users.map(({ program, pid }) => `${program} (process ${pid})`).join(", ");
  throw new HoldfastError("conflict", `${file} is open in ${programs}.`, {
    remedy: "Stop that program, and try again.",
  });
}
