import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../ids.ts";
import { describeStorageContract, put } from "../storage.contract.ts";
import type { Storage } from "../storage.ts";
import { localStorage } from "./local-storage.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

describeStorageContract("local folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-storage-"));
  const installId = newId();
  const storage = localStorage(join(folder, "made", "new"), installId);
  await storage.init();
  return {
    storage,
    second: localStorage(join(folder, "made", "new"), installId),
    cleanUp: () => rm(folder, { recursive: true }),
  };
});

describe("local folder", () => {
  let folder: string;
  let storage: Storage;
  const installId = newId();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-storage-"));
    storage = localStorage(folder, installId);
    await storage.init();
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("removes folders that became empty, and not the root", async () => {
    await put(storage, "deep/er/object", randomBytes(10));
    await storage.delete("deep/er/object");
    const aborted = await storage.write("deep/er/other");
    await aborted.abort();
    expect((await readdir(folder)).filter((name) => !name.startsWith("."))).toEqual([]);
  });

  it("does not follow links out of the folder", async () => {
    const outside = await mkdtemp(join(tmpdir(), "holdfast-outside-"));
    await writeFile(join(outside, "secret"), "not yours");
    await symlink(outside, join(folder, "link"));
    await symlink(join(outside, "secret"), join(folder, "file-link"));
    const refused = { code: "invalid" };
    await expect(storage.read("link/secret")).rejects.toMatchObject(refused);
    await expect(storage.read("file-link")).rejects.toMatchObject(refused);
    await expect(storage.write("link/new")).rejects.toMatchObject(refused);
    await expect(storage.write("link/deeper/new")).rejects.toMatchObject(refused);
    await expect(storage.delete("link/secret")).rejects.toMatchObject(refused);
    expect(await readdir(outside)).toEqual(["secret"]);
    const listed: string[] = [];
    for await (const object of storage.list("")) listed.push(object.path);
    expect(listed).toEqual([]);
    await rm(outside, { recursive: true });
    await rm(join(folder, "link"));
    await rm(join(folder, "file-link"));
  });

  it("refuses another install's folder", async () => {
    await expect(localStorage(folder, newId()).init()).rejects.toMatchObject({ code: "conflict" });
  });

  it("does nothing where the marker is missing: the disk may not be mounted", async () => {
    const empty = await mkdtemp(join(tmpdir(), "holdfast-empty-"));
    const there = localStorage(empty, installId);
    await expect(there.write("a/b")).rejects.toMatchObject({ code: "unavailable" });
    await expect(there.stat("a/b")).rejects.toMatchObject({ code: "unavailable" });
    expect(await readdir(empty)).toEqual([]);
    await rm(empty, { recursive: true });
  });

  it("says so in a sentence when it can't be made", async () => {
    const blocked = join(folder, "a-file");
    await writeFile(blocked, "");
    const wrong = localStorage(join(blocked, "below"), installId);
    await expect(wrong.init()).rejects.toMatchObject({ code: "unavailable", remedy: expect.any(String) });
    await rm(blocked);
  });

  if (!isRoot)
    it("says that it may not write", async () => {
      const locked = join(folder, "locked");
      await mkdir(locked);
      const there = localStorage(locked, installId);
      await there.init();
      await chmod(locked, 0o500);
      await expect(there.write("x/y")).rejects.toMatchObject({
        message: expect.stringContaining("may not write"),
      });
      await chmod(locked, 0o700);
      await rm(locked, { recursive: true });
    });

  if (isRoot)
    it("tells of a read-only mount", async () => {
      await withTmpfs(folder, "1m", async (mounted) => {
        const there = localStorage(mounted, installId);
        await there.init();
        await run("mount", ["-o", "remount,ro", mounted]);
        await expect(there.write("x/y")).rejects.toMatchObject({
          message: expect.stringContaining("mounted read-only"),
          remedy: expect.stringContaining("remount,rw"),
        });
      });
    });

  if (isRoot)
    it("tells of a full disk and keeps nothing of the object", async () => {
      await withTmpfs(folder, "2m", async (mounted) => {
        const there = localStorage(mounted, installId);
        await there.init();
        await expect(put(there, "big/object", randomBytes(4_000_000))).rejects.toMatchObject({
          code: "unavailable",
          message: expect.stringContaining("is full"),
          remedy: expect.any(String),
        });
        expect(await readdir(mounted)).toEqual([".holdfast-destination.json"]);
        await put(there, "small/object", randomBytes(1_000_000));
      });
    });

  it("tells of a full disk through the system's own always-full device", async () => {
    // Works without root: the part file's writes end in ENOSPC all the same.
    const { localFault } = await import("./local-faults.ts");
    const { writeFile: write } = await import("node:fs/promises");
    const error = await write("/dev/full", "x").catch((cause: unknown) => cause);
    expect(localFault(error, "/backups").message).toBe("The disk under /backups is full.");
  });
});

async function withTmpfs(folder: string, size: string, work: (mounted: string) => Promise<void>) {
  const mounted = await mkdtemp(join(folder, "mount-"));
  await run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", mounted]);
  try {
    await work(mounted);
  } finally {
    await run("umount", ["-l", mounted]);
    await rm(mounted, { recursive: true });
  }
}
