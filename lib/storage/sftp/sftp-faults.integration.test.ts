import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../ids.ts";
import { put } from "../storage.contract.ts";
import { readHostKey } from "./sftp-connection.ts";
import { sftpStorage } from "./sftp-storage.ts";
import { type SshServer, startSshServer } from "./testing/sshd.ts";

const MIB = 1024 * 1024;

describe("SFTP faults", () => {
  let server: SshServer;
  const installId = newId();
  const client = (
    more: Partial<SshServer["config"]> = {},
    secret: object = { privateKey: server.privateKey },
  ) => sftpStorage({ ...server.config, ...more }, secret, installId);
  const content = randomBytes(8 * MIB);

  beforeAll(async () => {
    server = await startSshServer();
    await client().init();
  }, 60_000);
  afterAll(() => server.cleanUp());

  it("reads a host's key without logging in, as ssh-keygen shows it", async () => {
    expect(await readHostKey(server.config)).toBe(server.config.hostKey);
  });

  it("opens a key with its passphrase", async () => {
    const locked = client({}, { privateKey: server.lockedKey, passphrase: "pass phrase" });
    expect(await locked.stat("none")).toBeNull();
    await expect(
      client({}, { privateKey: server.lockedKey, passphrase: "wrong" }).stat("none"),
    ).rejects.toThrow(/private key can't be read/);
  });

  it("tells a wrong key, a wrong user, a closed port and an unprepared folder apart", async () => {
    const other = await startSshServer();
    await expect(client({}, { privateKey: other.privateKey }).stat("x")).rejects.toThrow(/does not let/);
    await other.cleanUp();
    await expect(client({ port: 9 }).stat("x")).rejects.toThrow(/Nothing listens on port 9/);
    await expect(client({ folder: `${server.folder}-none` }).stat("x")).rejects.toThrow(/not prepared/);
    const stranger = sftpStorage(server.config, { privateKey: server.privateKey }, newId());
    await expect(stranger.stat("x")).rejects.toThrow(/another install/);
  });

  it("loses a server in mid-write: an error, nothing under the name, and what is left can be swept", async () => {
    const storage = client();
    const writer = await storage.write("lost/object");
    await new Promise((resolve) => writer.stream.write(content, resolve));
    await server.stop();
    await expect(pipeline(Readable.from([content]), writer.stream)).rejects.toThrow();
    await expect(writer.commit()).rejects.toThrow();
    await writer.abort().catch(() => undefined);
    await server.start();
    // The same destination connects anew.
    expect(await storage.stat("lost/object")).toBeNull();
    expect(await storage.sweep("lost")).toBe(1);
    await put(storage, "lost/object", content);
    expect((await buffer(await storage.read("lost/object"))).equals(content)).toBe(true);
  });

  it("loses a server in mid-read: an error, not an end", async () => {
    const storage = client();
    await put(storage, "read/object", randomBytes(40 * MIB));
    const stream = await storage.read("read/object");
    let bytes = 0;
    await expect(async () => {
      for await (const chunk of stream) {
        if (bytes === 0) await server.stop();
        bytes += chunk.length;
      }
    }).rejects.toThrow();
    expect(bytes).toBeLessThan(40 * MIB);
    await server.start();
  });

  it("sends nothing to a server whose host key has changed", async () => {
    const before = await readdir(server.folder);
    await server.stop();
    const changed = await server.changeHostKey();
    await server.start();
    const storage = client();
    await expect(put(storage, "changed/object", content)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining(changed),
      fields: { "config.hostKey": expect.stringContaining(changed) },
    });
    expect(await readdir(server.folder)).toEqual(before);
    expect(await client({ hostKey: changed }).stat("changed/object")).toBeNull();
    server.config.hostKey = changed;
  });

  it("works with a user who may only write, and says what it can't do", async () => {
    const drop = await startSshServer({ deny: "read,opendir,remove" });
    try {
      const storage = sftpStorage(drop.config, { privateKey: drop.privateKey }, installId);
      await storage.init();
      await storage.init();
      expect(await storage.test()).toMatchObject({ lacks: ["read", "list", "delete"] });
      await put(storage, "dropped/object", content);
      expect((await readFile(`${drop.folder}/dropped/object`)).equals(content)).toBe(true);
      await expect(put(storage, "dropped/object", content)).rejects.toMatchObject({ code: "conflict" });
    } finally {
      await drop.cleanUp();
    }
  });

  it("never connects to a link-local or metadata address", async () => {
    await expect(client({ host: "169.254.169.254" }).stat("x")).rejects.toMatchObject({
      code: "invalid",
      fields: { "config.host": expect.any(String) },
    });
    await expect(readHostKey({ host: "169.254.169.254", port: 22 })).rejects.toThrow(/metadata/);
  });

  it("says so when a folder can't be made, and leaves nothing", async () => {
    await writeFile(`${server.folder}/taken`, "");
    await expect(put(client(), "taken/object", content)).rejects.toMatchObject({ code: "unavailable" });
    expect(await client().sweep("")).toBe(0);
  });
});
