import { chmod, chown, constants, copyFile, link, open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { Access, WorkContext } from "../engine.ts";
import { companions, fileBeside, fileOf } from "./connection.ts";
import { filesInUse } from "./files-in-use.ts";
import { unreadable } from "./open.ts";
import { assertEmpty, syncFolder } from "./restore.ts";

/** Makes an empty file beside `on`, which is an empty database to SQLite. Throws `conflict` if it exists. */
export async function createSqliteFile(on: Access, name: string): Promise<Access> {
  const file = fileBeside(fileOf(on), name);
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
    await assertEmpty(file);
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
  for (const at of [...companions(file), file]) await rm(at, { force: true });
  await syncFolder(path.dirname(file));
}

/**
 * Puts the file `from` in the place of `to` in one step; the old one stays under the returned name. Throws
 * `conflict` while any program has either open: it would go on writing to the old file, and lose that.
 */
export async function swapSqliteFiles(
  on: Access,
  fromName: string,
  toName: string,
  work: WorkContext,
): Promise<{ oldName: string }> {
  const from = fileBeside(fileOf(on), fromName);
  const to = fileBeside(fileOf(on), toName);
  for (const file of [from, to]) {
    await stat(file).catch((error: unknown) => {
      throw unreadable(error, file);
    });
    await assertUnused(file);
    settle(file);
  }
  const { dir, name, ext } = path.parse(to);
  const stamp = new Date().toISOString().replaceAll(/[-:.]/g, "");
  const old = path.join(dir, `${name}-before-${stamp}${ext}`);
  const before = await stat(to);
  await chmod(from, before.mode & 0o777);
  if (process.getuid?.() === 0) await chown(from, before.uid, before.gid);
  // A second name for the old file first: at no moment is there none.
  await link(to, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") throw new HoldfastError("conflict", `${old} already exists.`);
    return copyFile(to, old, constants.COPYFILE_EXCL);
  });
  try {
    await assertUnused(to);
    await rename(from, to);
  } catch (error) {
    await rm(old, { force: true });
    throw error;
  }
  await syncFolder(dir);
  work.log(`${to} was replaced; the old file is ${old}`);
  return { oldName: path.basename(old) };
}

async function assertUnused(file: string): Promise<void> {
  const users = await filesInUse([file, ...companions(file)]);
  if (users.length === 0) return;
  const programs = users.map(({ program, pid }) => `${program} (process ${pid})`).join(", ");
  throw new HoldfastError("conflict", `${file} is open in ${programs}.`, {
    remedy: "Stop that program, and try again.",
  });
}

/** Brings what is in the WAL or a journal into the file itself, which must not be in anybody's use. */
function settle(file: string): void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 1_000, defensive: true, allowExtension: false });
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA wal_checkpoint(TRUNCATE); BEGIN EXCLUSIVE; COMMIT");
  } catch (error) {
    throw new HoldfastError("conflict", `${file} is in use: ${messageOf(error)}.`, {
      remedy: "Stop the programs that use it, and try again.",
      cause: error,
    });
  } finally {
    database?.close();
  }
}
