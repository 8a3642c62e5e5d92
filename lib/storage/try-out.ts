import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { HoldfastError, isHoldfastError } from "../errors.ts";
import type { Storage, StorageTest } from "./storage.ts";

/** What credentials may lack while backups can still be written. */
export type Lack = StorageTest["lacks"][number];

/**
 * Writes, reads back, lists and deletes a small object. Writing must work; what else does not is named, because
 * write-only credentials are a way to keep an intruder from the backups. Throws `unavailable` when nothing can be
 * written or when other bytes come back.
 */
export async function tryOut(storage: Storage, where: string): Promise<StorageTest> {
  const folder = `holdfast-test/${randomBytes(8).toString("hex")}`;
  const path = `${folder}/object`;
  const content = randomBytes(4096);
  const lacks: Lack[] = [];
  const attempt = async (lack: Lack, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== "forbidden") throw error;
      lacks.push(lack);
    }
  };
  const writer = await storage.write(path);
  try {
    await new Promise<void>((resolve, reject) => {
      writer.stream.once("error", reject);
      writer.stream.end(content, () => resolve());
    });
    await writer.commit();
  } finally {
    await writer.abort();
  }
  await attempt("read", async () => {
    const back = await buffer(await storage.read(path));
    if (back.equals(content)) return;
    throw new HoldfastError("conflict", `${where} gave back other bytes than were written.`, {
      remedy: "Check the disk or the store; don't keep backups on it.",
    });
  });
  await attempt("list", async () => {
    for await (const object of storage.list(folder)) if (object.path === path) return;
    throw new HoldfastError("forbidden", `${where} does not list what was written.`);
  });
  await attempt("delete", async () => {
    await storage.delete(path);
    if (lacks.includes("read")) return;
    if (await storage.stat(path)) throw new HoldfastError("forbidden", "It is still there.");
  });
  return { freeBytes: null, lacks };
}
