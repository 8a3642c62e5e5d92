import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ObjectInfo, Storage } from "./storage.ts";

export interface StorageUnderTest {
  /** Prepared: init() has run. */
  storage: Storage;
  /** Another client of the same place. */
  second: Storage;
  /** Bytes after which an unfinished write has left something there; 1000 by default. */
  unfinishedBytes?: number;
  cleanUp(): Promise<void>;
}

export async function put(storage: Storage, path: string, content: Buffer): Promise<ObjectInfo> {
  const writer = await storage.write(path);
  try {
    await pipeline(Readable.from([content]), writer.stream);
    return await writer.commit();
  } finally {
    await writer.abort();
  }
}

async function paths(storage: Storage, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const object of storage.list(prefix)) found.push(object.path);
  return found.sort();
}

/** What every destination must do; each adapter runs it against the real thing. */
export function describeStorageContract(name: string, setUp: () => Promise<StorageUnderTest>): void {
  describe(`storage contract: ${name}`, () => {
    let under: StorageUnderTest;
    let storage: Storage;
    beforeAll(async () => {
      under = await setUp();
      storage = under.storage;
    });
    afterAll(() => under.cleanUp());

    it("gives back what was written, and tells its size", async () => {
      const content = randomBytes(3_000_001);
      const info = await put(storage, "a/b/object.bin", content);
      expect(info).toMatchObject({ path: "a/b/object.bin", bytes: content.length });
      expect((await buffer(await storage.read("a/b/object.bin"))).equals(content)).toBe(true);
      expect(await under.second.stat("a/b/object.bin")).toMatchObject({ bytes: content.length });
    });

    it("keeps empty objects", async () => {
      await put(storage, "a/empty", Buffer.alloc(0));
      expect(await storage.stat("a/empty")).toMatchObject({ bytes: 0 });
      expect((await buffer(await storage.read("a/empty"))).length).toBe(0);
    });

    it("streams a large object through bounded writes", async () => {
      const chunk = randomBytes(1024 * 1024);
      const hash = createHash("sha256");
      const writer = await storage.write("large/object");
      await pipeline(function* () {
        for (let i = 0; i < 40; i++) {
          hash.update(chunk);
          yield chunk;
        }
      }, writer.stream);
      const info = await writer.commit();
      expect(info.bytes).toBe(40 * 1024 * 1024);
      const back = createHash("sha256");
      for await (const part of await storage.read("large/object")) back.update(part);
      expect(back.digest("hex")).toBe(hash.digest("hex"));
    });

    it("shows nothing before commit", async () => {
      const writer = await storage.write("unseen/object");
      writer.stream.end(randomBytes(100_000));
      await once(writer.stream, "finish");
      expect(await storage.stat("unseen/object")).toBeNull();
      expect(await paths(storage, "unseen")).toEqual([]);
      await writer.commit();
      expect(await paths(storage, "unseen")).toEqual(["unseen/object"]);
    });

    it("leaves nothing after abort, twice", async () => {
      const writer = await storage.write("aborted/object");
      writer.stream.write(randomBytes(100_000));
      await writer.abort();
      await writer.abort();
      expect(await storage.stat("aborted/object")).toBeNull();
      expect(await storage.sweep("aborted")).toBe(0);
      await expect(writer.commit()).rejects.toThrow();
    });

    it("does not commit a stream that was destroyed", async () => {
      const writer = await storage.write("cut/object");
      await expect(
        pipeline(async function* () {
          yield randomBytes(100_000);
          throw new Error("the source broke");
        }, writer.stream),
      ).rejects.toThrow("the source broke");
      await expect(writer.commit()).rejects.toThrow(/not written to its end/);
      expect(await storage.stat("cut/object")).toBeNull();
      expect(await storage.sweep("cut")).toBe(0);
    });

    it("does not commit a stream that was not ended", async () => {
      const writer = await storage.write("open/object");
      writer.stream.write(randomBytes(1000));
      await expect(writer.commit()).rejects.toThrow(/not written to its end/);
      expect(await storage.stat("open/object")).toBeNull();
    });

    it("reads ranges, both ends included", async () => {
      const content = randomBytes(500_000);
      await put(storage, "ranges/object", content);
      const part = await buffer(await storage.read("ranges/object", { start: 1000, end: 299_999 }));
      expect(part.equals(content.subarray(1000, 300_000))).toBe(true);
      const last = await buffer(await storage.read("ranges/object", { start: 499_999, end: 499_999 }));
      expect(last.equals(content.subarray(499_999))).toBe(true);
      await expect(storage.read("ranges/object", { start: 500_000, end: 500_001 })).rejects.toMatchObject({
        code: "invalid",
      });
    });

    it("never overwrites", async () => {
      const first = randomBytes(1000);
      await put(storage, "once/object", first);
      await expect(put(under.second, "once/object", randomBytes(1000))).rejects.toMatchObject({
        code: "conflict",
      });
      expect((await buffer(await storage.read("once/object"))).equals(first)).toBe(true);
    });

    it("lets exactly one of several writers of a path win", async () => {
      const contents = Array.from({ length: 6 }, () => randomBytes(200_000));
      const done = await Promise.allSettled(
        contents.map((content, i) => put(i % 2 ? storage : under.second, "race/object", content)),
      );
      const won = done.flatMap((one, i) => (one.status === "fulfilled" ? [i] : []));
      expect(won).toHaveLength(1);
      for (const one of done) {
        if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "conflict" });
      }
      const stored = await buffer(await storage.read("race/object"));
      expect(stored.equals(contents[won[0] ?? -1] ?? Buffer.alloc(0))).toBe(true);
      expect(await storage.sweep("race")).toBe(0);
    });

    it("writes and deletes beside each other", async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          await put(storage, `busy/${i % 3}/${i}`, randomBytes(5000));
          await under.second.delete(`busy/${i % 3}/${i}`);
        }),
      );
      expect(await paths(storage, "busy")).toEqual([]);
    });

    it("lists by prefix", async () => {
      for (const path of ["list/x/1", "list/x/2", "list/y/3"]) await put(storage, path, randomBytes(10));
      expect(await paths(storage, "list")).toEqual(["list/x/1", "list/x/2", "list/y/3"]);
      expect(await paths(storage, "list/x/")).toEqual(["list/x/1", "list/x/2"]);
      expect(await paths(storage, "list/none")).toEqual([]);
    });

    it("deletes, and deleting again is fine", async () => {
      await put(storage, "gone/object", randomBytes(10));
      await storage.delete("gone/object");
      await storage.delete("gone/object");
      expect(await storage.stat("gone/object")).toBeNull();
      await expect(storage.read("gone/object")).rejects.toMatchObject({ code: "not_found" });
    });

    it("sweeps unfinished writes of its prefix only", async () => {
      const bytes = under.unfinishedBytes ?? 1000;
      const lost = await storage.write("sweep/lost");
      const other = await storage.write("kept/other");
      for (const { stream } of [lost, other]) {
        await new Promise((resolve) => stream.write(randomBytes(bytes), resolve));
      }
      expect(await under.second.sweep("sweep")).toBe(1);
      expect(await under.second.sweep("sweep")).toBe(0);
      other.stream.end();
      await once(other.stream, "finish");
      await expect(other.commit()).resolves.toMatchObject({ bytes });
      await lost.abort();
    });

    it.each(["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a/.hidden", "a\\b", "a/\0b", "a/"])(
      "refuses the path %j",
      async (path) => {
        const refused = { code: "invalid" };
        await expect(storage.write(path)).rejects.toMatchObject(refused);
        await expect(storage.read(path)).rejects.toMatchObject(refused);
        await expect(storage.stat(path)).rejects.toMatchObject(refused);
        await expect(storage.delete(path)).rejects.toMatchObject(refused);
      },
    );

    it("tests itself and leaves nothing", async () => {
      const { freeBytes, lacks } = await storage.test();
      expect(lacks).toEqual([]);
      if (storage.capabilities.freeSpace) expect(freeBytes).toBeGreaterThan(0);
      expect(await paths(storage, "holdfast-test")).toEqual([]);
    });

    it("may be prepared again", async () => {
      await storage.init();
      expect(await storage.stat("a/b/object.bin")).not.toBeNull();
    });
  });
}
