import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { HoldfastError } from "../../errors.ts";
import type { Access, OpenArtefact, RestoreOptions, RestoreResult, WorkContext } from "../engine.ts";
import { companionPaths } from "./companions.ts";
import { fileOf } from "./connection.ts";
import { assertWhole } from "./integrity.ts";
import { SQLITE_VERSION } from "./open.ts";

/**
 * Writes the dump beside the target, checks it, and puts it in place in one step: the target is the old, empty
 * file or the whole new one, never a part. Throws `conflict` when the target holds anything.
 */
export async function restoreSqlite(
  target: Access,
  openArtefact: OpenArtefact,
  _options: RestoreOptions,
  work: WorkContext,
): Promise<RestoreResult> {
  const started = performance.now();
  const file = fileOf(target);
  await assertEmpty(file);
  const part = path.join(
    path.dirname(file),
    `.${path.basename(file)}.${randomBytes(4).toString("hex")}.part`,
  );
  try {
    await writeDown(await openArtefact("dump"), part, work);
    await assertWhole(part);
    await assertEmpty(file);
    await rename(part, file);
    await syncFolder(path.dirname(file));
  } finally {
    await rm(part, { force: true });
  }
  return {
    skipped: [],
    tools: { sqlite: SQLITE_VERSION },
    seconds: (performance.now() - started) / 1000,
  };
}

async function writeDown(dump: Readable, part: string, work: WorkContext): Promise<void> {
  const handle = await open(part, "wx", 0o600);
  try {
    let written = 0;
    for await (const chunk of dump) {
      work.signal.throwIfAborted();
      const bytes = chunk as Buffer;
      await handle.writeFile(bytes);
      written += bytes.length;
      work.progress({ label: "Restore", done: written, total: null, unit: "bytes" });
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Throws `conflict` when the file holds anything, or a WAL or journal is left beside it. */
export async function assertEmpty(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  const left = companionPaths(file).filter((at) => existsSync(at));
  if (size === 0 && left.length === 0) return;
  // A WAL or journal of another database would be played into the restored one.
  throw new HoldfastError(
    "conflict",
    size > 0
      ? `${file} already holds data.`
      : `${left.join(", ")} is left where SQLite looks for a part of it.`,
    { remedy: "Choose another name." },
  );
}

/** Makes a rename durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
