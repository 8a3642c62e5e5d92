import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { CreateBucketCommand, DeleteObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../ids.ts";
import { describeStorageContract, put } from "../storage.contract.ts";
import type { Storage } from "../storage.ts";
import { s3Client } from "./s3-client.ts";
import type { S3Config } from "./s3-schema.ts";
import { s3Storage } from "./s3-storage.ts";
import { type FaultProxy, startFaultProxy } from "./testing/fault-proxy.ts";
import { type S3Gateway, startGateway } from "./testing/rgw.ts";

const MIB = 1024 * 1024;
const PARTS = { firstBytes: 5 * MIB, doubleAfter: 2 };

let gateway: S3Gateway;
beforeAll(async () => {
  gateway = await startGateway();
}, 120_000);
afterAll(() => gateway.stop());

for (const prefix of ["", "team/nightly"]) {
  describeStorageContract(`S3, Ceph's gateway${prefix === "" ? "" : ", in a folder"}`, async () => {
    const config = {
      endpoint: gateway.endpoint,
      region: "us-east-1",
      bucket: `holdfast-${prefix === "" ? "whole" : "folder"}`,
      prefix,
      pathStyle: true,
      accessKey: gateway.accessKey,
    };
    const options = { installId: newId(), parts: { firstBytes: 5 * MIB, doubleAfter: 3 } };
    const storage = s3Storage(config, gateway.secret, options);
    await storage.init({ createRoot: true });
    return {
      storage,
      second: s3Storage(config, gateway.secret, options),
      // Less is held in memory, and the store knows nothing of it.
      unfinishedBytes: 6 * MIB,
      cleanUp: async () => undefined,
    };
  });
}

describe("S3 faults", () => {
  let proxy: FaultProxy;
  let config: S3Config;
  /** Behind the proxy, and straight to the store. */
  let storage: Storage;
  let direct: Storage;
  const installId = newId();

  beforeAll(async () => {
    proxy = await startFaultProxy(gateway.endpoint);
    const { accessKey, secret } = gateway;
    config = {
      endpoint: gateway.endpoint,
      region: "us-east-1",
      bucket: "faults",
      prefix: "",
      pathStyle: true,
      accessKey,
    };
    direct = s3Storage(config, secret, { installId, parts: PARTS });
    await direct.init({ createRoot: true });
    // The gateway makes its own pools at the first upload, which takes longer than `storage` is ready to wait.
    await put(direct, "first/upload", content);
  }, 120_000);
  beforeEach(() => {
    proxy.judge = () => null;
    proxy.seen.length = 0;
    const through = { ...config, endpoint: proxy.endpoint };
    storage = s3Storage(through, gateway.secret, { installId, parts: PARTS, silenceMs: 600 });
  });
  afterEach(async () => expect(await direct.sweep("")).toBe(0));
  afterAll(async () => {
    await proxy.stop();
  });

  /** The first `times` requests that match get the fault. */
  function breakFirst(times: number, match: RegExp, fault: ReturnType<FaultProxy["judge"]>): () => number {
    let met = 0;
    proxy.judge = ({ method, url }) => (match.test(`${method} ${url}`) && met++ < times ? fault : null);
    return () => Math.min(met, times);
  }

  const PART = /^PUT .*partNumber=2/;
  const content = randomBytes(17 * MIB);

  it.each([
    ["a 500", { status: 500, code: "InternalError" }],
    ["a 503 that asks to slow down", { status: 503, code: "SlowDown" }],
    ["a store that does not answer", "hang"],
    ["a connection that breaks in mid-part", { cutRequestAfter: 2 * MIB }],
  ] as const)("passes over %s while a part goes up", async (name, fault) => {
    const met = breakFirst(2, PART, fault);
    const path = `over/${name.replaceAll(/\W/g, "-")}`;
    await put(storage, path, content);
    expect(met()).toBe(2);
    expect((await buffer(await direct.read(path))).equals(content)).toBe(true);
  });

  it.each([
    ["a 500", { status: 500, code: "InternalError" }, /InternalError/],
    ["503 slow down", { status: 503, code: "SlowDown" }, /used less/],
    ["silence", "hang", /can't be reached/],
    ["cuts", { cutRequestAfter: 2 * MIB }, /can't be reached/],
  ] as const)(
    "gives up a write when %s does not end, and leaves nothing",
    async (name, fault, reason) => {
      breakFirst(Number.POSITIVE_INFINITY, PART, fault);
      const path = `given-up/${name.replaceAll(/\W/g, "-")}`;
      await expect(put(storage, path, content)).rejects.toThrow(reason);
      expect(await direct.stat(path)).toBeNull();
    },
    60_000,
  );

  it("takes a download up where it broke", async () => {
    await put(direct, "broken/download", content);
    const met = breakFirst(3, /^GET .*broken\/download/, { cutAnswerAfter: 3 * MIB });
    expect((await buffer(await storage.read("broken/download"))).equals(content)).toBe(true);
    expect(met()).toBe(3);
  });

  it("ends a download that makes no way any more, as an error and not as an end", async () => {
    await put(direct, "stuck/download", content);
    breakFirst(Number.POSITIVE_INFINITY, /^GET .*stuck\/download/, { cutAnswerAfter: 0 });
    await expect(storage.read("stuck/download").then(buffer)).rejects.toThrow(/can't be reached/);
  }, 60_000);

  it("says so when deleting is denied, and the object stays", async () => {
    await put(direct, "held/object", randomBytes(1000));
    proxy.judge = ({ method }) => (method === "DELETE" ? { status: 403, code: "AccessDenied" } : null);
    await expect(storage.delete("held/object")).rejects.toThrow(/may not do this/);
    expect(await direct.stat("held/object")).not.toBeNull();
  });

  it("works with credentials that may only write, and says what they lack", async () => {
    proxy.judge = ({ method }) =>
      method === "PUT" || method === "POST" ? null : { status: 403, code: "AccessDenied" };
    await storage.init();
    expect(await storage.test()).toEqual({ freeBytes: null, lacks: ["read", "list", "delete"] });
    await put(storage, "dropped/in", content);
    await expect(put(storage, "dropped/in", randomBytes(10))).rejects.toMatchObject({ code: "conflict" });
    proxy.judge = () => null;
    expect((await buffer(await direct.read("dropped/in"))).equals(content)).toBe(true);
  });

  it("tells a wrong secret, an unknown key, a missing bucket and another install apart", async () => {
    const at = (more: Partial<S3Config>, secret = gateway.secret, install = installId) =>
      s3Storage({ ...config, ...more }, secret, { installId: install });
    await expect(at({}, "wrong").stat("x")).rejects.toThrow(/secret key does not fit/);
    await expect(at({ accessKey: "NOBODY" }).stat("x")).rejects.toThrow(
      /does not know the access key NOBODY/,
    );
    await expect(at({ bucket: "nowhere" }).stat("x")).rejects.toThrow(/no bucket nowhere/);
    await expect(at({}, gateway.secret, newId()).stat("x")).rejects.toThrow(/another install/);
    await expect(at({ endpoint: "http://127.0.0.1:9" }).stat("x")).rejects.toThrow(/can't be reached/);
    expect(() => at({ endpoint: "http://169.254.169.254" })).toThrow(/cloud-metadata/);
  }, 60_000);

  it("refuses a bucket that is not prepared, instead of preparing it", async () => {
    const client = s3Client(config, gateway.secret);
    await client.send(new CreateBucketCommand({ Bucket: "unprepared" }));
    const other = s3Storage({ ...config, bucket: "unprepared" }, gateway.secret, { installId });
    await expect(other.write("x")).rejects.toThrow(/not prepared/);
    expect(await other.init().then(() => other.stat("x"))).toBeNull();
  });

  it("locks objects where it is asked to: not even its own key deletes them", async () => {
    const locked: S3Config = { ...config, bucket: "locked", objectLock: { mode: "COMPLIANCE", days: 1 } };
    const vault = s3Storage(locked, gateway.secret, { installId, parts: PARTS });
    await vault.init({ createRoot: true });
    await put(vault, "kept/object", content);
    await put(vault, "kept/small", randomBytes(10));
    const client = s3Client(locked, gateway.secret);
    const { Versions = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: "locked", Prefix: "kept/" }),
    );
    expect(Versions).toHaveLength(2);
    for (const { Key, VersionId } of Versions) {
      const command = new DeleteObjectCommand({ Bucket: "locked", Key, VersionId });
      await expect(client.send(command), Key).rejects.toThrow();
    }
  });

  it("holds no more than the parts in flight, however large the object", async () => {
    const before = process.memoryUsage().arrayBuffers;
    let peak = 0;
    const piece = randomBytes(MIB);
    // With the sizes of parts that backups are written with.
    const writer = await s3Storage(config, gateway.secret, { installId }).write("large/object");
    await pipeline(
      Readable.from(
        (function* () {
          for (let i = 0; i < 200; i++) {
            peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
            yield piece;
          }
        })(),
      ),
      writer.stream,
    );
    expect((await writer.commit()).bytes).toBe(200 * MIB);
    await direct.delete("large/object");
    // Three parts of 8 MiB in flight and one that is filled; the rest is what the collector has not taken yet.
    expect(peak).toBeLessThan(150 * MIB);
  }, 120_000);
});
