import { chmod, chown, constants, copyFile, link, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HoldfastError, messageOf } from "../../errors.ts";
import type { Access, SettledSwap, Swap, WorkContext } from "../engine.ts";
import { companionsOf, strangersError } from "./companions.ts";
import { fileBeside, fileOf } from "./connection.ts";
import { unreadable } from "./file-errors.ts";
import { assertUnused } from "./files.ts";
import { syncFolder } from "./restore.ts";
import { shellWord } from "./restore-commands.ts";

/** Device and inode: what a file keeps when it gets another name. Null when there is none. */
async function idOf(file: string): Promise<string | null> {
  const found = await stat(file, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw unreadable(error, file);
  });
  return found === null ? null : `${found.dev}:${found.ino}`;
}

function filesOf(on: Access, { from, to, oldName }: Swap): { from: string; to: string; old: string } {
  const [own, other] = [fileBeside(fileOf(on), from.name), fileBeside(fileOf(on), to.name)];
  return { from: own, to: other, old: path.join(path.dirname(other), oldName) };
}

/** What a swap is going to do. Changes nothing; throws `unavailable` when one of the two is not there. */
export async function planSqliteSwap(on: Access, fromName: string, toName: string): Promise<Swap> {
  const [from, to] = [fileBeside(fileOf(on), fromName), fileBeside(fileOf(on), toName)];
  const need = async (file: string): Promise<string> => {
    await stat(file).catch((error: unknown) => {
      throw unreadable(error, file);
    });
    return (await idOf(file)) ?? "";
  };
  const { name, ext } = path.parse(to);
  const stamp = new Date().toISOString().replaceAll(/[-:.]/g, "");
  return {
    from: { name: fromName, id: await need(from) },
    to: { name: toName, id: await need(to) },
    oldName: `${name}-before-${stamp}${ext}`,
    closes: false,
  };
}

/**
 * Puts one file in the place of the other in one step, as planned; the old one stays under its new name. Throws
 * `conflict` while any program has either open: it would go on writing to the old file, and lose that.
 */
export async function swapSqliteFiles(on: Access, swap: Swap, work: WorkContext): Promise<void> {
  const { from, to, old } = filesOf(on, swap);
  for (const file of [from, to]) {
    await assertUnused(file);
    bringIn(file);
  }
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
  await syncFolder(path.dirname(to));
  work.log(`${to} was replaced; the old file is ${old}`);
}

/** After a swap that may have broken off anywhere: removes the second name that it gave, and says how far it came. */
export async function settleSqliteSwap(on: Access, swap: Swap): Promise<SettledSwap> {
  const { from, to, old } = filesOf(on, swap);
  const target = await idOf(to);
  const kept = await idOf(old);
  if (target === swap.from.id) {
    return { done: true, kept: kept === null ? null : { name: swap.oldName, ...commands(to, old) } };
  }
  const begun = kept !== null && target === swap.to.id && (await idOf(from)) === swap.from.id;
  if (begun) await rm(old, { force: true });
  return { done: false };
}

function commands(file: string, old: string): { goBack: string; drop: string } {
  const [now, before] = [shellWord(file), shellWord(old)];
  const aside = shellWord(old.replace(/-before-(\d{8}T\d{9}Z[^/]*)$/, "-restored-$1"));
  return {
    // A WAL that stayed would be taken for that of the file that comes back.
    goBack: `for s in "" -journal -wal -shm; do if [ -e ${now}$s ]; then mv ${now}$s ${aside}$s; fi; done; mv ${before} ${now}`,
    drop: `rm ${before}`,
  };
}

/** Brings what is in the WAL or a journal into the file itself, which must not be in anybody's use. */
function bringIn(file: string): void {
  const { strangers } = companionsOf(file);
  if (strangers.length > 0) throw strangersError(file, strangers);
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
